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

# Scenes of ADE20K's sceneCategories.txt that lie outdoors, besides those whose name says so.
OUTDOOR_SCENES = frozenset(
    """
    abbey access_road airfield alley amphitheater amusement_park aqueduct arch archipelago
    avenue badlands bamboo_forest bay bayou beach boardwalk boat_deck botanical_garden bridge
    building_facade butte campsite campus canal_natural canal_urban canyon castle cemetery chalet
    cliff coast corn_field corral cottage cottage_garden courtyard creek crosswalk dam desert_road
    desert_sand desert_vegetation driveway dock estuary excavation farm field_cultivated field_road
    field_wild fishpond fjord forest_broadleaf forest_needleleaf forest_path forest_road
    formal_garden fountain gas_station glacier golf_course gulch harbor hayfield heath highway hill
    hoodoo house ice_floe ice_shelf iceberg islet japanese_garden jungle lagoon lake_natural lawn
    lighthouse marsh mesa moor mountain mountain_path mountain_road mountain_snowy oasis ocean
    oilrig orchard palace park parking_lot pasture patio pier pinetum playground plaza pond
    promenade racecourse raft rainforest ranch residential_neighborhood rice_paddy river road
    rock_arch ruin rural sandbar savanna sea_cliff shopfront skyscraper slum snowfield
    stone_circle street suburb swamp tidal_basin topiary_garden tower traffic_island tree_farm
    tree_house tundra underwater_ocean_shallow valley vegetable_garden viaduct village vineyard
    volcano waterfall_block waterfall_cascade waterfall_fan watering_hole wave wheat_field
    wild_field wind_farm windmill woodland yard zen_garden
    """.split()
)
