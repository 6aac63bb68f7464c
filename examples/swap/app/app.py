"""A help desk that sorts tickets with a model, as many were written in 2024."""

import os
import sys

from openai import OpenAI

INSTRUCTIONS = "Sort the ticket. Answer with one word: billing, delivery, returns, account or other."

client = OpenAI(base_url=os.environ.get("OPENAI_BASE_URL"))


def sort(ticket: str) -> str:
    answer = client.chat.completions.create(
        model="gpt-4o",
        temperature=0,
        messages=[{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": ticket}],
    )
    return answer.choices[0].message.content


if __name__ == "__main__":
    print(sort(" ".join(sys.argv[1:]) or "Where is my parcel?"))
