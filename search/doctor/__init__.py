"""What could keep a study from running here; reads everything and writes nothing."""
