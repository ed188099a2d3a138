"""Class names, colours and ids of Cityscapes, CMP Facades and CamVid, as they are published."""

# Cityscapes, helpers/labels.py: name, train id (None: ignored), colour; the position is the id.
# The 35th, the licence plate, has the id -1 there and is in no label map.
CITYSCAPES = (
    ("unlabeled", None, (0, 0, 0)),
    ("ego vehicle", None, (0, 0, 0)),
    ("rectification border", None, (0, 0, 0)),
    ("out of roi", None, (0, 0, 0)),
    ("static", None, (0, 0, 0)),
    ("dynamic", None, (111, 74, 0)),
    ("ground", None, (81, 0, 81)),
    ("road", 0, (128, 64, 128)),
    ("sidewalk", 1, (244, 35, 232)),
    ("parking", None, (250, 170, 160)),
    ("rail track", None, (230, 150, 140)),
    ("building", 2, (70, 70, 70)),
    ("wall", 3, (102, 102, 156)),
    ("fence", 4, (190, 153, 153)),
    ("guard rail", None, (180, 165, 180)),
    ("bridge", None, (150, 100, 100)),
    ("tunnel", None, (150, 120, 90)),
    ("pole", 5, (153, 153, 153)),
    ("polegroup", None, (153, 153, 153)),
    ("traffic light", 6, (250, 170, 30)),
    ("traffic sign", 7, (220, 220, 0)),
    ("vegetation", 8, (107, 142, 35)),
    ("terrain", 9, (152, 251, 152)),
    ("sky", 10, (70, 130, 180)),
    ("person", 11, (220, 20, 60)),
    ("rider", 12, (255, 0, 0)),
    ("car", 13, (0, 0, 142)),
    ("truck", 14, (0, 0, 70)),
    ("bus", 15, (0, 60, 100)),
    ("caravan", None, (0, 0, 90)),
    ("trailer", None, (0, 0, 110)),
    ("train", 16, (0, 80, 100)),
    ("motorcycle", 17, (0, 0, 230)),
    ("bicycle", 18, (119, 11, 32)),
    ("license plate", None, (0, 0, 142)),
)

# CMP Facades, label_names.txt: name, colour in the palette of the files; ids 1..12 there.
CMP_FACADES = (
    ("background", (0, 0, 170)),
    ("facade", (0, 0, 255)),
    ("window", (0, 85, 255)),
    ("door", (0, 170, 255)),
    ("cornice", (0, 255, 255)),
    ("sill", (85, 255, 170)),
    ("balcony", (170, 255, 85)),
    ("blind", (255, 255, 0)),
    ("deco", (255, 170, 0)),
    ("molding", (255, 85, 0)),
    ("pillar", (255, 0, 0)),
    ("shop", (170, 0, 0)),
)

CAMVID_GROUPS = (
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "sign symbol",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
)

# CamVid, label_colors.txt: name, colour, position of its class among the usual 11.
CAMVID = (
    ("Animal", (64, 128, 64), 9),
    ("Archway", (192, 0, 128), 1),
    ("Bicyclist", (0, 128, 192), 10),
    ("Bridge", (0, 128, 64), 1),
    ("Building", (128, 0, 0), 1),
    ("Car", (64, 0, 128), 8),
    ("CartLuggagePram", (64, 0, 192), 9),
    ("Child", (192, 128, 64), 9),
    ("Column_Pole", (192, 192, 128), 2),
    ("Fence", (64, 64, 128), 7),
    ("LaneMkgsDriv", (128, 0, 192), 3),
    ("LaneMkgsNonDriv", (192, 0, 64), 3),
    ("Misc_Text", (128, 128, 64), 6),
    ("MotorcycleScooter", (192, 0, 192), 10),
    ("OtherMoving", (128, 64, 64), 8),
    ("ParkingBlock", (64, 192, 128), 4),
    ("Pedestrian", (64, 64, 0), 9),
    ("Road", (128, 64, 128), 3),
    ("RoadShoulder", (128, 128, 192), 4),
    ("Sidewalk", (0, 0, 192), 4),
    ("SignSymbol", (192, 128, 128), 6),
    ("Sky", (128, 128, 128), 0),
    ("SUVPickupTruck", (64, 128, 192), 8),
    ("TrafficCone", (0, 0, 64), 2),
    ("TrafficLight", (0, 64, 64), 6),
    ("Train", (192, 64, 128), 8),
    ("Tree", (128, 128, 0), 5),
    ("Truck_Bus", (192, 128, 192), 8),
    ("Tunnel", (64, 0, 64), 1),
    ("VegetationMisc", (192, 192, 0), 5),
    ("Wall", (64, 192, 0), 1),
)
CAMVID_VOID = (0, 0, 0)
# The colours of the 11 are those of one class of each.
CAMVID_LEADERS = (
    "Sky Building Column_Pole Road Sidewalk Tree SignSymbol Fence Car Pedestrian Bicyclist".split()
)

# Those of the 1,055 names in ADE20K's sceneCategories.txt that lie outdoors, besides those that end
# so. Some have lost their first part: `broadleaf` and `needleleaf` are forests, `cultivated` and
# `wild` fields, `natural` and `urban` canals, `block`, `cascade`, `fan` and `plunge` waterfalls.
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
