"""The version of this client."""

from importlib.metadata import version

VERSION = version("padan")
