"""Closed sets: every answer and its probability in per cent."""

from __future__ import annotations

from typing import Final

from vsgen.tiny.grammar.wordings import Wordings

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
        "Blue": 26, "Red": 17, "Green": 13, "Purple": 9, "Yellow": 7, "Orange": 5, "Pink": 4, "Turquoise": 4,
        "Black": 3, "White": 2, "Brown": 2, "Grey": 2, "Violet": 1.5, "Gold": 1.5, "Beige": 1, "Silver": 1,
        "Crimson": 1,
    },
    "animal": {
        "Elephant": 22, "Tiger": 15, "Dog": 11, "Cat": 9, "Lion": 7, "Dolphin": 5, "Giraffe": 4, "Panda": 4,
        "Horse": 3, "Owl": 3, "Penguin": 2, "Fox": 2, "Octopus": 2, "Rabbit": 1.5, "Bear": 1.5, "Otter": 1, "Zebra": 1,
        "Wolf": 1, "Whale": 1, "Koala": 1, "Hedgehog": 1, "Camel": 1, "Turtle": 1,
    },
    "fruit": {
        "Mango": 25, "Apple": 18, "Banana": 13, "Strawberry": 9, "Orange": 7, "Pineapple": 5, "Kiwi": 4, "Cherry": 4,
        "Grape": 3, "Peach": 2, "Pear": 2, "Plum": 1.5, "Papaya": 1.5, "Fig": 1, "Melon": 1, "Lemon": 1, "Apricot": 1,
        "Raspberry": 1,
    },
    "food": {
        "Pizza": 28, "Sushi": 15, "Pasta": 11, "Tacos": 8, "Curry": 6, "Salad": 5, "Burger": 4, "Soup": 4, "Paella": 3,
        "Ramen": 3, "Falafel": 2, "Risotto": 2, "Lasagne": 2, "Dumplings": 1, "Pancakes": 1, "Couscous": 1,
        "Goulash": 1, "Omelette": 1, "Kebab": 1, "Hummus": 1,
    },
    "job": {
        "Teacher": 24, "Nurse": 16, "Engineer": 13, "Chef": 9, "Doctor": 7, "Plumber": 5, "Baker": 4, "Architect": 4,
        "Farmer": 3, "Pilot": 2, "Electrician": 2, "Librarian": 2, "Lawyer": 1, "Carpenter": 1, "Gardener": 1,
        "Tailor": 1, "Dentist": 1, "Journalist": 1, "Translator": 1, "Photographer": 1, "Firefighter": 1,
    },
    "city": {
        "Paris": 18, "Tokyo": 13, "London": 10, "Rome": 7, "Barcelona": 6, "Berlin": 5, "Sydney": 4, "Istanbul": 4,
        "Lisbon": 3, "Toronto": 3, "Cairo": 2, "Vienna": 2, "Prague": 2, "Mumbai": 1.5, "Seoul": 1.5, "Nairobi": 1,
        "Lima": 1, "Oslo": 1, "Dublin": 1, "Athens": 1, "Boston": 1, "Helsinki": 1, "Warsaw": 1, "Hanoi": 1, "Quito": 1,
        "Accra": 1, "Riga": 1, "Bern": 1, "Madrid": 1, "Chicago": 1, "Dakar": 0.5, "Manila": 0.5, "Zagreb": 0.5,
        "Porto": 0.5, "Havana": 0.5, "Tunis": 0.5,
    },
    "first name": {
        "Emma": 16, "Liam": 12, "Sarah": 9, "James": 7, "Sofia": 6, "Noah": 5, "Maria": 5, "David": 4, "Elena": 4,
        "Lucas": 3, "Aisha": 3, "Daniel": 3, "Olivia": 2, "Kenji": 2, "Priya": 2, "Anna": 2, "Omar": 1.5, "Clara": 1.5,
        "Hugo": 1, "Ingrid": 1, "Mateo": 1, "Fatima": 1, "Oscar": 1, "Nina": 1, "Theo": 1, "Yusuf": 1, "Chloe": 1,
        "Ivan": 1, "Leila": 1, "Felix": 1,
    },
}  # fmt: skip

WORDINGS: Final = Wordings(
    "Name a random {thing}.",
    (
        "[Name|Give me|Pick|Choose|Tell me|Suggest|Think of] [a random|one random|any random] {thing}[.|, please.|!]",
        "[Name|Give me|Pick|Choose|Tell me|Suggest|Think of] [one|any|just one|{some}] {thing}[.|, please.| for me.]",
        "[Name|Give me|Pick|Choose] {some} {thing}[ at random.|, chosen at random.|, picked at random.]",
        "[A random|Any|One random|One] {thing}[, please.|.|!]",
        "[Please name|Please pick|Please choose|Could you name|Can you pick] a random {thing}[.|?| for me.]",
        "[I need|I want|I would like] [a random|one random|any] {thing}[.|, please.| for a list.| for a test.]",
        "[What is|Which is|Do you know] [a random|one] {thing}[?|? Answer briefly.|? One answer only.]",
        "[Name|Give me|Pick] a random {thing}[. One word.|. Reply with the {thing} only.|. No explanation.]",
        "You are filling in a form[.|:] [Name|Pick|Choose] a random {thing}[.| for it.]",
        "[My|Our|Your] [favourite|secret|lucky|next] {thing}: [which one?|what is it?|name it.]",
        "[I am thinking|Think] of {some}. [Which one?|Which is it?|Say it.|What is it?]",
        "{thing}: [name one.|pick one.|any.|one, please.|your choice.]",
        "[If you had to choose|When you close your eyes], which {thing} [is it?|do you take?|would it be?]",
        "[Fill in|Complete|Enter] {some}[.| here.| of your choice.]",
        "[Task|Request|Instruction]: [name|pick|give me|choose] [a random|any] {thing}[.|]",
    ),
    new=(
        "Let chance decide: which {thing} comes to mind?",
        "Whatever you like: please suggest any {thing} at all.",
        "For my data set, write down one {thing} that you pick at random.",
    ),
)
