"""How far a land-cover map can be trusted: accuracies, calibration, intervals and areas."""
