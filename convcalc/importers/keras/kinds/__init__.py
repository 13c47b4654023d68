"""How each class of Keras is read: a handler takes the call of a layer and returns what leaves it."""
