"""Decisions as pure functions of answers, events and now."""
