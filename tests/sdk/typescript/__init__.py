"""The TypeScript client: types, and programs that node runs against a served contract."""
