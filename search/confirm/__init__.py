"""Fresh seeds for what a study claims: who is trained again, beside whom, and what came out."""
