"""Checks of designs against limits, growth and waivers."""
