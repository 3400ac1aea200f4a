"""The command line: reads options and files, calls a client, prints what came of it.

Start at :mod:`.app`. :mod:`.commands` has a module for each command, :mod:`.views` what they print,
:mod:`.common` what all share (output, exit codes, one way to report an error), :mod:`.options` the
options of several, :mod:`.home` how they come by the keys. May import every other room of the
client.
"""
