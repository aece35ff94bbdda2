"""The cases behind `make_vectors.py`: dossiers good and broken, and what a verifier must say of each."""
