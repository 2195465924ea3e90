extension Delivery {
    /// Whether the record is the first of its batch. All records of a batch end alike: who only wants to know that
    /// everything was delivered needs to await these alone.
    public var isFirstOfBatch: Bool { index == 0 }
}
