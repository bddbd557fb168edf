"""The version of this program, in its one place: the image holds the program, and no metadata of a package."""

__version__ = "0.1.0"
