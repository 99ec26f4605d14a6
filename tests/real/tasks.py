"""Closed tasks: requests whose right answers are known. The words were chosen on `CHOSEN`, not on `CHECKED`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Closed:
    """A request and all right answers to it."""

    field: str
    request: str
    answers: tuple[str, ...]


def _listed(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(","))


CHOSEN = (
    Closed(
        "day",
        "Name a random day of the week.",
        _listed("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday"),
    ),
    Closed(
        "state",
        "Name a US state.",
        _listed(
            "Alabama, Alaska, Arizona, Arkansas, California, Colorado, Connecticut, Delaware, Florida, Georgia, "
            "Hawaii, Idaho, Illinois, Indiana, Iowa, Kansas, Kentucky, Louisiana, Maine, Maryland, "
            "Massachusetts, Michigan, Minnesota, Mississippi, Missouri, Montana, Nebraska, Nevada, "
            "New Hampshire, New Jersey, New Mexico, New York, North Carolina, North Dakota, Ohio, Oklahoma, "
            "Oregon, Pennsylvania, Rhode Island, "
            "South Carolina, South Dakota, Tennessee, Texas, Utah, Vermont, Virginia, Washington, West Virginia, "
            "Wisconsin, Wyoming"
        ),
    ),
    Closed(
        "animal",
        "Name a random animal.",
        _listed(
            "dog, cat, horse, cow, pig, sheep, goat, lion, tiger, elephant, bear, wolf, fox, rabbit, mouse, rat, deer, "
            "monkey, giraffe, zebra, kangaroo, penguin, owl, eagle, snake, frog, dolphin, whale, shark, bird"
        ),
    ),
)
CHECKED = (
    Closed(
        "month",
        "Name a random month of the year.",
        _listed("January, February, March, April, May, June, July, August, September, October, November, December"),
    ),
    Closed(
        "planet",
        "Name a random planet of the solar system.",
        _listed("Mercury, Venus, Earth, Mars, Jupiter, Saturn, Uranus, Neptune"),
    ),
    Closed(
        "colour",
        "Name a random color.",
        _listed(
            "red, blue, green, yellow, orange, purple, pink, brown, black, white, gray, grey, turquoise, teal, cyan, "
            "magenta, violet, indigo, gold, silver, beige, maroon, navy, crimson, lavender, olive, coral, emerald"
        ),
    ),
    Closed(
        "country",
        "Name a random country in Europe.",
        _listed(
            "Albania, Andorra, Austria, Belarus, Belgium, Bosnia and Herzegovina, Bulgaria, Croatia, Cyprus, "
            "Czech Republic, Czechia, Denmark, Estonia, Finland, France, Germany, Greece, Hungary, Iceland, Ireland, "
            "Italy, Latvia, Liechtenstein, Lithuania, Luxembourg, Malta, Moldova, Monaco, Montenegro, Netherlands, "
            "The Netherlands, North Macedonia, Norway, Poland, Portugal, Romania, Russia, San Marino, Serbia, "
            "Slovakia, Slovenia, Spain, Sweden, Switzerland, Turkey, Ukraine, United Kingdom, England, Scotland, Wales"
        ),
    ),
    Closed(
        "element",
        "Name a random chemical element.",
        _listed(
            "hydrogen, helium, lithium, beryllium, boron, carbon, nitrogen, oxygen, fluorine, neon, sodium, magnesium, "
            "aluminum, aluminium, silicon, phosphorus, sulfur, sulphur, chlorine, argon, potassium, calcium, titanium, "
            "chromium, manganese, iron, cobalt, nickel, copper, zinc, arsenic, bromine, krypton, silver, tin, iodine, "
            "xenon, barium, tungsten, platinum, gold, mercury, lead, radon, radium, thorium, uranium, plutonium"
        ),
    ),
    Closed(
        "sign",
        "Name a random sign of the zodiac.",
        _listed("Aries, Taurus, Gemini, Cancer, Leo, Virgo, Libra, Scorpio, Sagittarius, Capricorn, Aquarius, Pisces"),
    ),
    Closed(
        "continent",
        "Name a random continent.",
        _listed("Africa, Antarctica, Asia, Australia, Europe, North America, South America, Oceania, America"),
    ),
    Closed(
        "season",
        "Name a random season of the year.",
        _listed("spring, summer, autumn, fall, winter"),
    ),
)
