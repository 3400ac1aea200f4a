"""Measurements that users can repeat: ``padan bench``. Ratios in one run; the peers beside ours."""
