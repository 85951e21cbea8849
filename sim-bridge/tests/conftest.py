"""Imports the package before anything else can import a simulator: it sets that nothing is rendered."""

import sim_bridge

assert sim_bridge.__version__
