"""From a candidate pair's distances to a score, a threshold and an estimate of what is right.

Start at :mod:`.calibration` (what a pass learned); :mod:`.features` are what is counted,
:mod:`.strangers` the pairs of different people, :mod:`.threshold` the choice of an agreement's
rate.
"""
