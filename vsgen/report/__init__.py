"""Figures for people: tables, histograms, reliability diagrams."""
