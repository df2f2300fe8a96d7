"""Commands of the command line, one file a group; TensorFlow loads when a command needs it."""
