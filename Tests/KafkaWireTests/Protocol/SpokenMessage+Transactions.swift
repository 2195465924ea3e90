extension SpokenMessage {
    static let transactions: [SpokenMessage] = []
}
