extension SpokenMessage {
    static let epochs: [SpokenMessage] = []
}
