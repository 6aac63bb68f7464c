"""Makes tickets.csv: 1,500 invented tickets of a shop with the label that a model would give. Same bytes every time.

    python3 tickets.py > tickets.csv
"""

import csv
import random
import sys

OPEN = ["hello", "hi there", "good morning", "dear team", "excuse me", "hey", "", "", "", "to whom it may concern", "sorry to bother you", "quick question"]
THING = ["the blue kettle", "my running shoes", "a desk lamp", "the garden hose", "two pillows", "a coffee grinder", "the bike lock",
         "my winter coat", "a set of pans", "the phone case", "a board game", "three notebooks", "the yoga mat", "my headphones",
         "a water bottle", "the bookshelf", "an umbrella", "the alarm clock", "a rain jacket", "the tool box"]
WHEN = ["last monday", "on the 3rd", "two weeks ago", "yesterday evening", "before the holiday", "this morning", "in october",
        "on my birthday", "nine days ago", "the day before yesterday", "over a month ago", "at the weekend"]
PLACE = ["in leeds", "at my office", "to my neighbour", "at the pick-up point", "to the old address", "in the flat upstairs",
         "at my parents' house", "near the harbour", "in bristol", "at reception"]
END = ["thanks", "please advise", "can you help", "i am waiting", "what now", "let me know", "cheers", "kind regards", "it is urgent",
       "many thanks in advance", "", "", "please reply by mail", "i would appreciate an answer"]
SAY = {
    "delivery": ["where is {thing}, i ordered it {when} and nothing came {place}", "the parcel with {thing} has not arrived {place}",
                 "tracking says {thing} was handed over {place} {when} but the courier never rang", "how long does shipping of {thing} take",
                 "{thing} is stuck in the depot since {when}", "the driver left {thing} {place} and it is gone"],
    "refund": ["i want my money back for {thing}", "you still owe me the refund for {thing} that i returned {when}",
               "please credit the amount for {thing} to my card", "when will i be paid back for {thing}",
               "i sent {thing} back {when} and have not been reimbursed", "the refund for {thing} was less than i paid"],
    "defect": ["{thing} stopped working {when}", "{thing} arrived broken and has a crack", "there is a fault with {thing}, it makes a loud noise",
               "{thing} fell apart {when}, the seam is torn", "the switch of {thing} is loose and it smells burnt",
               "a part of {thing} is missing from the box, the screws do not fit"],
    "account": ["i cannot log in since {when}, the password is refused", "please change my email address, i moved {place}",
                "delete my profile and all my data", "the reset link for my login never comes", "my username is locked after {when}",
                "how do i turn on two-step sign-in for my profile"],
    "invoice": ["i need an invoice with vat number for {thing}", "the bill for {thing} shows the wrong company name",
                "please send the receipt for {thing} bought {when}", "our accounting asks for a tax document about {thing}",
                "the invoice of {when} lists {thing} twice", "can the billing address be put on the receipt for {thing}"],
}


def main() -> None:
    draw = random.Random(7)
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["id", "time", "text", "category", "cost_usd", "latency_ms"])
    for row in range(1500):
        label = draw.choice(list(SAY))
        say = draw.choice(SAY[label]).format(thing=draw.choice(THING), when=draw.choice(WHEN), place=draw.choice(PLACE))
        text = " ".join(part for part in [draw.choice(OPEN), say, draw.choice(END)] if part)
        if draw.random() < 0.01:
            label = draw.choice(list(SAY))
        day, minute = divmod(row * 29, 24 * 60)
        time = f"2026-10-{day % 31 + 1:02}T{minute // 60:02}:{minute % 60:02}:00Z"
        out.writerow([f"t{row:04}", time, text, label, f"0.{draw.randrange(28, 61):06}", draw.randrange(380, 1400)])


main()
