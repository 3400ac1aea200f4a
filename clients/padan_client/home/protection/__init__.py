"""What keeps a home from whoever takes its disk: passphrase, locked key file, backups.

Start at :mod:`.locked`. What the passphrase protects is the identity; everything else that opens or
orders something is sealed under it (:mod:`padan_client.home.sealed_file`).
"""
