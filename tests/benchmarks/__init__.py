"""How fast and how large, as ratios in the same run: wall times of one machine say nothing about another."""
