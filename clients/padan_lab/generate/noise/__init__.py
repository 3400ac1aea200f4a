"""How names, dates and numbers go wrong in real files, at measured rates."""
