"""The commands of ``padan``, a module each, named as the user types them."""
