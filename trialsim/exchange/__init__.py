"""Data in and out: ADaM-like data sets and NONMEM event tables of a finished trial, and event tables read in."""
