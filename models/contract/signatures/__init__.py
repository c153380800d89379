# Generated from the contract by `accord generate`. Do not edit: change the contract or the generator.
