// What the code in FirstSteps.md uses without declaring it.

private var lines: [String] { omitted() }
