"""The sheets of workbooks and forms, one module a kind of sheet; what they share: styles, heading lines, tables."""
