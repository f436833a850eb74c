"""The contract with consumers as documents, made of the code that writes the topics. Pure but for files."""
