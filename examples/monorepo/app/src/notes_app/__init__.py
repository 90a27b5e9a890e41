"""Greets, and keeps what it said."""

from greeter import greet
from phrases import GREETING
from storage import Store
from text_tools import tidy


def welcome(name):
    """The greeting of a name, kept in a store."""
    store = Store()
    store.add(greet(GREETING, tidy(name)))
    return store.notes[-1]
