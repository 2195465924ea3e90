/// Under which name a producer numbers its batches (KIP-98). A broker refuses what comes under an earlier epoch.
struct ProducerIdentity: Hashable, Sendable {
    let id: Int64
    let epoch: Int16
}
