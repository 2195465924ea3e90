/// What `--help` says.
enum HelpText {
    static let messages = """
        Usage: kafkawire -L [-t TOPIC]                lists brokers, topics and partitions
               kafkawire -P -t TOPIC [FILE…]          sends a message a line of input, or each file as one
               kafkawire -C -t TOPIC                  prints a topic's messages
               kafkawire -G GROUP TOPIC…              prints them as a member of a consumer group
               kafkawire -Q -t TOPIC:PARTITION:MS     asks for offsets by time
               kafkawire topics|configs|groups|records|cluster COMMAND …   administers ('kafkawire topics --help')

        Without a mode: -C where input is a terminal, else -P. Options may be bundled (-CJe), values attached (-tTFI).

        To the cluster:
          -b HOST:PORT[,…]   brokers to ask for the rest of the cluster
          -X NAME=VALUE      a setting by its name in Kafka, such as security.protocol=SSL
          -F FILE            a file of such settings, in the format of Kafka's own tools; -X beats it
        Both ways:
          -t TOPIC           the topic
          -p N               one partition alone (not with -G); to send, otherwise by key, else as the client spreads them
          -D TEXT            what ends a message (default: \\n)
          -K TEXT            what stands between key and value
          -c N               ends after so many messages
          -q                 says nothing on standard error but errors
        To send (-P):
          -k KEY             the key of every message
          -H NAME=VALUE      a header of every message; may be repeated
          -z CODEC           none, gzip, snappy, lz4 or zstd
          -Z                 an empty value or key is null
          -l FILE            reads lines from a file
          -X transactional.id=ID   puts the whole input into one transaction
        To read (-C, -G):
          -o PLACE           beginning (default of -C), end, an offset, -N for the last N, s@MS and e@MS for from and
                             until a time in milliseconds since 1970; -o s@… -o e@… together. With -G beginning or end
                             alone, for where the group has no offset
          -e                 exits at the end of all partitions
          -f FORMAT          %t topic, %p partition, %o offset, %k key, %s value, %K and %S their lengths (-1 for null),
                             %h headers, %T timestamp, %% a percent sign; \\n \\r \\t \\0 \\\\ \\xHH  (default: %s\\n)
          -J                 a JSON object a line
          -Z                 shows null as NULL
          -u                 writes each message by itself
          -X group.protocol=consumer   takes part by KIP-848 (-G)
        Other:
          -h, --help   -V, --version

        Exit status:
          0   all done, also after SIGINT or SIGTERM
          64  a wrong option or value
          66  an input file is missing or can't be read
          69  a broker can't be reached, or refuses
          70  a mistake in this program
          74  reading or writing failed, or a transaction was interrupted
          78  a topic or group is missing, or isn't as asked for

        """
}
