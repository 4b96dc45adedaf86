"""The texts that the Trace page begins with: four short ones, one beyond 128 tokens, one beyond 256."""

from __future__ import annotations

_HARBOUR = (
    "The harbour was built for ships that no longer exist. Its basins are too shallow for today's "
    "freighters, and the cranes along the eastern quay have not moved since the last coal was unloaded. "
    "For years the city argued about what should become of it: a museum, a park, flats with a view of the "
    "water. In the end all three were begun and none was finished. The museum shows the tools of the "
    "dockers, the nets of the last fishing company and a film about the great flood. The park is a strip of "
    "grass between two roads. "
)
_FLATS = "In the flats live people who came for the silence and complain about the gulls. "
_MARKET = (
    "On Sundays a market is held under the steel roof of the old customs hall, where farmers from the "
    "islands sell cheese, potatoes and flowers, and where a man plays the accordion who says that he once "
    "sailed round the world. "
)
_ACCORDION = (
    "Nobody believes him, until he begins to name the ports, one after the other, with the depth of the "
    "water in each and the price of a bed for the night. Then it becomes quiet around him, and even the "
    "children stop running. What the market earns is spent on the roof, which leaks, as always. The council "
    "has promised a new one for the tenth time, and this time, the mayor says, the money is there. Until it "
    "comes, the farmers bring umbrellas, and the man plays a little louder."
)

EXAMPLE: tuple[str, ...] = (
    "A man is eating a piece of bread.",
    "How do I reset my password?",
    "NASA launched the iPhone on Mars!",
    "Le café était très agréable à Zürich.",
    _HARBOUR + _FLATS + _MARKET,
    _HARBOUR + _FLATS + _MARKET + _ACCORDION,
)
