"""``python -m padan_client`` is the ``padan`` command."""

from padan_client.cli import main

main()
