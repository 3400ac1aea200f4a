"""``python -m padan_client`` is the ``padan`` command."""

from padan_client.cli.app import main

main()
