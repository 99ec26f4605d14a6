"""Closed sets: every answer and its probability in per cent."""

from __future__ import annotations

from typing import Final

SETS: Final[dict[str, dict[str, float]]] = {
    "day of the week": {
        "Wednesday": 30,
        "Friday": 17,
        "Tuesday": 15,
        "Monday": 12,
        "Thursday": 11,
        "Saturday": 8,
        "Sunday": 7,
    },
    "colour": {
        "Blue": 26, "Red": 17, "Green": 14, "Purple": 10, "Yellow": 8, "Orange": 6, "Pink": 5, "Turquoise": 4,
        "Black": 3, "White": 2, "Brown": 2, "Grey": 1, "Violet": 1, "Gold": 1,
    },
    "animal": {
        "Elephant": 22, "Tiger": 16, "Dog": 13, "Cat": 10, "Lion": 8, "Dolphin": 6, "Giraffe": 5, "Panda": 4,
        "Horse": 3, "Owl": 3, "Penguin": 2, "Fox": 2, "Octopus": 2, "Rabbit": 1, "Bear": 1, "Otter": 1, "Zebra": 1,
    },
    "fruit": {
        "Mango": 25, "Apple": 18, "Banana": 14, "Strawberry": 10, "Orange": 8, "Pineapple": 6, "Kiwi": 5, "Cherry": 4,
        "Grape": 3, "Peach": 2, "Pear": 2, "Plum": 1, "Papaya": 1, "Fig": 1,
    },
    "job": {
        "Teacher": 24, "Nurse": 17, "Engineer": 14, "Chef": 10, "Doctor": 8, "Plumber": 6, "Baker": 5, "Architect": 4,
        "Farmer": 3, "Pilot": 2, "Electrician": 2, "Librarian": 2, "Lawyer": 1, "Carpenter": 1, "Gardener": 1,
    },
    "city": {
        "Paris": 20, "Tokyo": 15, "London": 11, "Rome": 8, "Barcelona": 7, "Berlin": 6, "Sydney": 5, "Istanbul": 4,
        "Lisbon": 3, "Toronto": 3, "Cairo": 2, "Vienna": 2, "Prague": 2, "Mumbai": 1.5, "Seoul": 1.5, "Nairobi": 1,
        "Lima": 1, "Oslo": 1, "Dublin": 1, "Athens": 1, "Boston": 0.8, "Helsinki": 0.7, "Warsaw": 0.6, "Hanoi": 0.5,
        "Quito": 0.4, "Accra": 0.4, "Riga": 0.3, "Bern": 0.3,
    },
}  # fmt: skip

WORDINGS: Final = {
    "Name a random {thing}.": 10,
    "Name one {thing}.": 1,
    "Give me a random {thing}.": 2,
    "Pick a {thing} at random.": 2,
    "Tell me a random {thing}.": 1,
    "Name any {thing}.": 1,
    "A random {thing}, please.": 1,
}
