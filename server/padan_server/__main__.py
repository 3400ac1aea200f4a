"""``python -m padan_server``."""

from padan_server.app import main

main()
