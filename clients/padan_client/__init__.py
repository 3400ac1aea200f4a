"""Client library and command line of Padan."""
