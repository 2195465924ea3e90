// What the code in DeliveryGuarantees.md uses without declaring it.

private var order: [UInt8] { omitted() }
private var movement: [UInt8] { omitted() }
private func log(_ message: String) {}
