extension SpokenMessage {
    static let administration: [SpokenMessage] = []
}
