"""The fifteen conditioning factors on one grid."""
