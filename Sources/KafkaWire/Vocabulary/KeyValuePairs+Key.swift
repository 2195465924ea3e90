extension KeyValuePairs where Key == String, Value: Equatable {
    /// The first key with this value; nil if there is none.
    func key(of value: Value) -> String? { first { $0.value == value }?.key }
}
