"""Answers customers of the shop.

The first version asked text-davinci-003; see the changelog.
"""

import os

from openai import OpenAI

client = OpenAI(api_key=os.environ["OPENAI_API_KEY"])

SYSTEM = "You work in a corner shop. Answer in two sentences."


def answer(question: str) -> str:
    """One answer to one customer."""
    reply = client.chat.completions.create(
        model=os.getenv("CHAT_MODEL", "gpt-3.5-turbo"),
        messages=[{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}],
    )
    return reply.choices[0].message.content


def sort_mail(text: str) -> str:
    """Which desk a message belongs to."""
    reply = client.chat.completions.create(
        model="gpt-3.5-turbo",
        messages=[{"role": "user", "content": f"orders, returns or other? {text}"}],
    )
    return reply.choices[0].message.content


def embed(text: str) -> list[float]:
    """The vector under which a product is found."""
    model = os.environ.get("EMBEDDING_MODEL") or "text-embedding-3-small"
    return client.embeddings.create(model=model, input=text).data[0].embedding
