"""The audit log of an authority: what happened, in order, in a form that shows every later change."""
