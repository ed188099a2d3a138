"""The outdoor scenes of ADE20K."""

import os
from collections.abc import Collection
from typing import Any

from keras_spade.datasets.dataset import Dataset
from keras_spade.datasets.public.ade20k import (
    ADE20K_NAMES,
    ADE20K_PALETTE,
    CITATION,
    scenes_dataset,
)
from keras_spade.datasets.public.ade20k import COUNTINGS as WHOLE
from keras_spade.datasets.public.named_dataset import NamedDataset
from keras_spade.datasets.public.public_dataset import published

# The outdoor scenes among the 1,055 names in ADE20K's sceneCategories.txt, except those with the
# endings below. Some names lack their first part: `broadleaf` and `needleleaf` are forests,
# `cultivated` and `wild` fields, `natural` and `urban` canals, `block`, `cascade`, `fan` and
# `plunge` waterfalls.
OUTDOOR_SCENES = frozenset(
    """
    abbey access_road acropolis air_base aircraft_carrier_object airfield airplane airport alley
    amphitheater amusement_park aquatic_theater aqueduct arbor arch archaelogical_excavation
    archipelago army_base auto_racing_paddock awning_deck back_porch backwoods badlands
    balustrade bamboo_forest barbeque barn barndoor barnyard barrack baseball baseball_field
    basilica batters_box battlefield battlement bay bayou beach beach_house beer_garden belfry
    bicycle_racks block boardwalk boat boat_deck boathouse bog botanical_garden bottomland
    bridge bridle_path broadleaf brooklet building_complex building_facade bullpen bullring
    bus_shelter butte bypass byroad cabana cabin_cruiser campsite campus canyon caravansary
    cargo_deck cargo_helicopter carrousel cascade castle cataract cemetery chair_lift chalet
    chaparral chemical_plant chuck_wagon city cliff coast coast_road construction_site
    coral_reef corn_field corral cottage cottage_garden country_house country_road courthouse
    courtyard creek crevasse crosswalk cultivated customhouse dacha dam
    deck-house_boat_deck_house deck-house_deck_house desert_road dirt_track ditch diving_board
    dock dolmen donjon downtown drainage_ditch drill_rig driveway dry dry_dock dugout
    earth_fissure east_asia electrical_substation elevated_catwalk embankment embassy embrasure
    escarpment estuary excavation exterior fairway fan farm farm_building farmhouse fence
    field_house field_road fire_escape fire_station fire_trench fish_farm fishpond fjord
    flashflood floating_dock floating_dry_dock flood flood_plain flowerbed fly_bridge
    flying_buttress football football_field foothill forecourt foreshore forest_fire forest_path
    forest_road formal_garden fort fortress fountain freeway front_porch gangplank garbage_dump
    garden gas_station gas_well gasworks gate gatehouse ghost_town glacier glade glen
    golf_course gorge granary grape_arbor grove guardhouse guesthouse gulch hacienda harbor
    hayfield heath hedge_maze hedgerow heliport hen_yard herb_garden highway hill hillock hollow
    hoodoo hot_spring house housing_estate housing_project howdah hut hutment ice_floe ice_shelf
    iceberg igloo industrial_area industrial_park inlet irrigation_ditch islet japanese_garden
    jetty joss_house jungle junk_pile junkyard kasbah kraal lagoon landfill landing_deck
    landing_strip lava_flow lawn layby lean-to lean-to_tent levee lift_bridge lighthouse
    loading_dock lock_chamber manhole mansard mansion manufactured_home marsh mastaba mausoleum
    meadow medina megalith menhir mesa mesoamerican mews military_hut military_tent millpond
    millrace mine mission mobile_home moor motel mountain mountain_path mountain_road
    mountain_snowy mudflat natural natural_spring naval_base needleleaf oasis oast_house
    observation_station observatory_post ocean ocean_deep ocean_shallow office_building oilrig
    one-way_street orchard outbuilding outcropping outside overpass oyster_farm pagoda palace
    parade_ground park parking_lot parkway pasture patio pavement pavilion phone_booth
    picnic_area pier pinetum piste_road pitchers_mound plantation_house platform playground
    plaza plunge pond pontoon_bridge poop_deck porch portico postern preserve priory promenade
    promenade_deck pueblo putting_green quadrangle quicksand racecourse raceway raft
    railroad_track railway_yard rainforest ranch ranch_house residential_neighborhood resort
    rest_area rest_stop restaurant_patio retaining_wall rice_paddy rift_valley river road
    road_cut rock_arch rock_garden rodeo roof roof_garden rope_bridge roundabout rubble ruin
    runway safari_park salt_plain sand sand_trap sandbar sandbox savanna sawmill schoolhouse
    schoolyard scrubland sea_cliff seaside seawall semidesert shed shelter shelter_deck
    shelter_tent shopfront shore shrine shrubbery sidewalk signal_box sinkhole ski_jump
    ski_lodge ski_resort ski_slope sky skyscraper slum snowbank snowfield soccer south_asia
    spillway stall starting_gate stone_circle street streetcar_track strip_mall strip_mine
    student_residence sun_deck swamp swimming_hole t-bar_lift taxistand taxiway tea_garden
    terrace_farm threshing_floor ticket_booth tidal_basin tidal_river tiltyard toll_plaza
    tollbooth tollgate topiary_garden tower town_house tract_housing traffic_island trailer_park
    train_railway tree_farm tree_house trellis trench trestle_bridge truck_stop tundra
    upper_balcony urban valley vegetable_garden vegetation vehicle veranda viaduct village
    vinery vineyard volcano walkway watchtower water water_fountain water_gate water_mill
    water_park water_tower watering_hole waterscape waterway wave weighbridge western wetland
    wharf wheat_field wild wind_farm windmill windstorm woodland yard zen_garden ziggurat zoo
    """.split()
)

COUNTINGS = {
    "ade20k_outdoor": NamedDataset(
        "ADE20K, outdoor scenes",
        "ade20k_outdoor(directory, split)",
        "the same, and `sceneCategories.txt`",
        ADE20K_NAMES,
        ADE20K_PALETTE,
        "as `ade20k`",
        CITATION,
    ),
}


@published(COUNTINGS)
def ade20k_outdoor(
    directory: str | os.PathLike,
    split: str = "train",
    image_size: tuple[int, int] = (256, 256),
    batch_size: int = 1,
    *,
    scenes: Collection[str] | None = None,
    counting: str = "shifted",
    on_bad_file: str = "error",
    **kwargs: Any,
) -> Dataset:
    """Makes a dataset of the images in `ade20k` that show outdoor scenes.

    `sceneCategories.txt`, which comes with the images, names the scene of each. The paper's list of
    images is not published. By default, this function uses images whose scene is called
    "..._outdoor" or "..._exterior", or is on this package's list of outdoor scenes among the 1,055
    names (`keras_spade.datasets.OUTDOOR_SCENES`).

    Args:
        directory: as in `ade20k`, with `sceneCategories.txt`.
        split: "train" or "val".
        image_size: `(height, width)` of the batches.
        batch_size: Number of samples per batch.
        scenes: names of the scenes to use instead of the default.
        counting: "shifted" or "unshifted", as in `ade20k`.
        on_bad_file: "error" or "skip", as in `paired_folders`.
        **kwargs: as in `paired_folders`.

    Returns:
        A dataset of dicts as in `paired_folders`.

    Raises:
        ValueError: as in `ade20k`, or if `sceneCategories.txt` is missing or no image shows one of
            the scenes.
        ValueError: when iterated, for a file that cannot be used.

    Example:

    ```python
    coasts = keras_spade.datasets.ade20k_outdoor("ADEChallengeData2016", scenes=["coast", "beach"])
    ```

    Reference: Qi, Chen, Jia, Koltun, "Semi-parametric Image Synthesis", CVPR 2018, which first
    used such a subset.
    """
    if isinstance(scenes, str):
        raise ValueError(f"scenes must be a sequence of names, got {scenes!r}")
    wanted = _is_outdoor if scenes is None else set(scenes).__contains__
    info = COUNTINGS["ade20k_outdoor"] if counting == "shifted" else WHOLE["ade20k_unshifted"]
    size = (image_size, batch_size)
    return scenes_dataset(info, directory, split, size, counting, wanted, on_bad_file, kwargs)


def _is_outdoor(scene):
    return scene in OUTDOOR_SCENES or scene.endswith(("_outdoor", "_exterior"))
