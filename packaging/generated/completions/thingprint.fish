# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_thingprint_global_optspecs
    string join \n format= o/output= j/jobs= seed= q/quiet v/verbose h/help V/version
end

function __fish_thingprint_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_thingprint_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_thingprint_using_subcommand
    set -l cmd (__fish_thingprint_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c thingprint -n "__fish_thingprint_needs_command" -l format -d 'Format of the result: table, json, jsonl, csv, zeek or parquet; of audit also sarif or html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]' -r
complete -c thingprint -n "__fish_thingprint_needs_command" -s o -l output -d 'Write the result to this file; - is standard output' -r -F
complete -c thingprint -n "__fish_thingprint_needs_command" -s j -l jobs -d 'Number of threads [default: number of cores]' -r
complete -c thingprint -n "__fish_thingprint_needs_command" -l seed -d 'Seed of all random choices' -r
complete -c thingprint -n "__fish_thingprint_needs_command" -s q -l quiet -d 'Print only the result and errors'
complete -c thingprint -n "__fish_thingprint_needs_command" -s v -l verbose -d 'Report in detail what was read and what was skipped'
complete -c thingprint -n "__fish_thingprint_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c thingprint -n "__fish_thingprint_needs_command" -s V -l version -d 'Print version'
complete -c thingprint -n "__fish_thingprint_needs_command" -f -a "devices" -d 'List the devices of captures, and write a label file to fill in'
complete -c thingprint -n "__fish_thingprint_needs_command" -f -a "flows" -d 'List the flows of captures, with their protocols and messages'
complete -c thingprint -n "__fish_thingprint_needs_command" -f -a "audit" -d 'Check devices against best practice; fingerprints and MUD profiles'
complete -c thingprint -n "__fish_thingprint_needs_command" -f -a "extract" -d 'Extract instances from captures: one row for each device and window'
complete -c thingprint -n "__fish_thingprint_needs_command" -f -a "merge" -d 'Make instances of parts that were extracted apart'
complete -c thingprint -n "__fish_thingprint_needs_command" -f -a "train" -d 'Train a model on labelled instances'
complete -c thingprint -n "__fish_thingprint_needs_command" -f -a "evaluate" -d 'Measure a classifier on labelled instances'
complete -c thingprint -n "__fish_thingprint_needs_command" -f -a "classify" -d 'Classify devices, with a confidence'
complete -c thingprint -n "__fish_thingprint_needs_command" -f -a "watch" -d 'Watch a network live: who is there, what each device is, what changed'
complete -c thingprint -n "__fish_thingprint_needs_command" -f -a "protocols" -d 'List, show, check and test the models that detect protocols'
complete -c thingprint -n "__fish_thingprint_needs_command" -f -a "simulate" -d 'Write a capture of a simulated home'
complete -c thingprint -n "__fish_thingprint_needs_command" -f -a "experiment" -d 'Run experiments: tables and figures of the classification paper, and further questions'
complete -c thingprint -n "__fish_thingprint_needs_command" -f -a "demo" -d 'Simulate a home, train on it, and show how well its devices are classified'
complete -c thingprint -n "__fish_thingprint_needs_command" -f -a "generate" -d 'Write manual pages, completions and the configuration of the package'
complete -c thingprint -n "__fish_thingprint_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c thingprint -n "__fish_thingprint_using_subcommand devices" -s l -l labels -d 'What is known of the devices already: CSV with the columns mac,label,kind' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand devices" -l labels-template -d 'Write a label file to fill in, with the devices that were found' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand devices" -l network-by -d 'Keep networks apart, each with gateways of its own: captures of a folder, or each file; the column `network` has the name' -r -f -a "folder\t'Captures in the same folder'
file\t'Each capture is a network of its own'"
complete -c thingprint -n "__fish_thingprint_using_subcommand devices" -l identity -d 'Address that identifies a device: mac or ip (its private address) [default: mac; ip where link addresses do not separate hosts]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand devices" -l gateway -d 'MAC address of a gateway, which is not a device; repeat it for several [default: the addresses that forward packets]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand devices" -l local-nets -d 'Networks whose addresses are inside, in addition to private ones, such as 129.94.0.0/16' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand devices" -l decap -d 'Tunnels to open: all, or a list of vxlan, geneve, gre, erspan, 6in4, tzsp, mpls, gtp-u' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand devices" -l protocols -d 'Protocol models to use beside the built-in ones: a file, or a folder with *.json. One with the name of a built-in model replaces it' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand devices" -l format -d 'Format of the result: table, json, jsonl, csv, zeek or parquet; of audit also sarif or html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand devices" -s o -l output -d 'Write the result to this file; - is standard output' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand devices" -s j -l jobs -d 'Number of threads [default: number of cores]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand devices" -l seed -d 'Seed of all random choices' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand devices" -l wide -d 'Show all columns in a table too, however wide it gets; the other formats always have all'
complete -c thingprint -n "__fish_thingprint_using_subcommand devices" -l no-gateway -d 'Treat every address as a device: the network has no gateway'
complete -c thingprint -n "__fish_thingprint_using_subcommand devices" -l dedup -d 'Leave out frames that were captured more than once within 10 ms'
complete -c thingprint -n "__fish_thingprint_using_subcommand devices" -l sort -d 'Sort packets by time first, for captures without any order (needs memory for all of them)'
complete -c thingprint -n "__fish_thingprint_using_subcommand devices" -s q -l quiet -d 'Print only the result and errors'
complete -c thingprint -n "__fish_thingprint_using_subcommand devices" -s v -l verbose -d 'Report in detail what was read and what was skipped'
complete -c thingprint -n "__fish_thingprint_using_subcommand devices" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -l fingerprints -d 'Say which known device of this file each flow looks like, and by what; `audit --fingerprints-out FILE` writes one' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -l split -d 'Write a capture for each flow into this folder, which has to be new or empty; a file is called NUMBER-PROTO-CLIENT-PORT-SERVER-PORT-SERVICE.pcap, with `none` for no service and `_` for the colons of IPv6' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -l order -d 'Order of the rows [default: start for files, end for what cannot be read twice]' -r -f -a "start\t'That of their first packets, as far as 65,536 rows that wait allow it'
end\t'That in which they end, each within 2 s of the trace'"
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -l network-by -d 'Keep networks apart, each with gateways of its own: captures of a folder, or each file; the column `network` has the name. Who the gateways are is found out first, in a reading of its own' -r -f -a "folder\t'Captures in the same folder'
file\t'Each capture is a network of its own'"
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -s l -l labels -d 'What the devices are, for the column `label`: CSV with the columns mac,label,kind' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -l preset -d 'Rules for flows' -r -f -a "default\t'Flows end at RST, both FINs or idle time; sizes are IP total lengths'
joy\t'Rules of Joy, the tool of the classification paper: flows end after 30 s; sizes are transport payloads'"
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -l size -d 'Bytes that a flow\'s volume counts: ip (total length), payload (of the transport) or wire (frames)' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -l identity -d 'Address that identifies a device: mac or ip (its private address) [default: mac; ip where link addresses do not separate hosts]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -l gateway -d 'MAC address of a gateway, which is not a device; repeat it for several [default: the addresses that forward packets]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -l local-nets -d 'Networks whose addresses are inside, in addition to private ones, such as 129.94.0.0/16' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -l decap -d 'Tunnels to open: all, or a list of vxlan, geneve, gre, erspan, 6in4, tzsp, mpls, gtp-u' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -l protocols -d 'Protocol models to use beside the built-in ones: a file, or a folder with *.json. One with the name of a built-in model replaces it' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -l format -d 'Format of the result: table, json, jsonl, csv, zeek or parquet; of audit also sarif or html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -s o -l output -d 'Write the result to this file; - is standard output' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -s j -l jobs -d 'Number of threads [default: number of cores]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -l seed -d 'Seed of all random choices' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -l attributes -d 'Add what is said in each flow: its messages as JSON, and JA3 and JA4 of TLS and QUIC clients'
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -l show-credentials -d 'Show credentials in the messages of --attributes; without this they are ***. Host names, paths, user agents and DNS records are shown in any case'
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -l no-gateway -d 'Treat every address as a device: the network has no gateway'
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -l dedup -d 'Leave out frames that were captured more than once within 10 ms'
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -l sort -d 'Sort packets by time first, for captures without any order (needs memory for all of them)'
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -s q -l quiet -d 'Print only the result and errors'
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -s v -l verbose -d 'Report in detail what was read and what was skipped'
complete -c thingprint -n "__fish_thingprint_using_subcommand flows" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l policy-show -d 'Print the text of a policy that is built in instead, to be changed and given back with --policy FILE; docs/policies.md explains its form' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l policy -d 'What counts as good: bcp2026 (standards and best current practices of 2026), paper2024 (the references of the protocol paper to the letter), strict (the best alone), or a TOML file of your own' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l fail-on -d 'Exit with status 3 when there is a finding of this severity or a more severe one: note, warning or error; also where some input could not be read, which is status 4 otherwise' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l require-judged -d 'Exit with status 3 when a smaller share of the flows of some device and protocol could be judged, from 0 to 1: what nobody could judge is not clean. Only protocols that rules of the policy are about count' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -s l -l labels -d 'What the devices are: CSV with the columns mac,label,kind' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l html -d 'Write a page of HTML as well, which needs nothing beside it' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l sarif -d 'Write a log of SARIF 2.1.0 as well' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l cipher-plot -d 'Draw the lists of cipher suites that devices offer, as SVG: the logarithm of each code over its place' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l network-by -d 'Refused: an audit judges one network at a time' -r -f -a "folder\t'Captures in the same folder'
file\t'Each capture is a network of its own'"
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l fingerprints -d 'Say which known device of this file each device looks like, and by what; `flows --fingerprints` says it of each flow' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l fingerprints-out -d 'Write the devices of these captures, by label or else by address, into a file for --fingerprints, of audit and of flows. A file that is there already is refused, unless it is that of --fingerprints, which then learns these captures as well' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l mud -d 'Hold a device\'s traffic against its profile: LABEL=FILE (or ADDRESS=FILE); or a file, or a folder of *.json, which go by their names to the devices of these labels or addresses. What a profile does not allow are findings of the rule MUD-001' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l mud-out -d 'Write a profile for each device of what it was seen to do into this folder; files of the same name are replaced' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l mud-url-base -d 'What the MUD URLs of written profiles begin with, for devices that gave none by DHCP' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l controller -d 'Say who serves a class of controllers: dns, ntp, dhcp, gateway, my-controller, or the URI of a class. May be given several times. Of a class without one, those that DHCP names count; where it names none, any local address' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l preset -d 'Rules for flows' -r -f -a "default\t'Flows end at RST, both FINs or idle time; sizes are IP total lengths'
joy\t'Rules of Joy, the tool of the classification paper: flows end after 30 s; sizes are transport payloads'"
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l size -d 'Bytes that a flow\'s volume counts: ip (total length), payload (of the transport) or wire (frames)' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l identity -d 'Address that identifies a device: mac or ip (its private address) [default: mac; ip where link addresses do not separate hosts]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l gateway -d 'MAC address of a gateway, which is not a device; repeat it for several [default: the addresses that forward packets]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l local-nets -d 'Networks whose addresses are inside, in addition to private ones, such as 129.94.0.0/16' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l decap -d 'Tunnels to open: all, or a list of vxlan, geneve, gre, erspan, 6in4, tzsp, mpls, gtp-u' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l protocols -d 'Protocol models to use beside the built-in ones: a file, or a folder with *.json. One with the name of a built-in model replaces it' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l format -d 'Format of the result: table, json, jsonl, csv, zeek or parquet; of audit also sarif or html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -s o -l output -d 'Write the result to this file; - is standard output' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -s j -l jobs -d 'Number of threads [default: number of cores]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l seed -d 'Seed of all random choices' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l rules -d 'List the rules of the policy instead: what each checks, why, an example, how to fix it, what is accepted, how severe the rest is, and where that is written'
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l mud-unanswered -d 'Allow in written profiles also what others sent and the device never answered, or refused: what a lamp that obeys broadcasts needs, and what every scanner of the network asks for'
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l no-gateway -d 'Treat every address as a device: the network has no gateway'
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l dedup -d 'Leave out frames that were captured more than once within 10 ms'
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -l sort -d 'Sort packets by time first, for captures without any order (needs memory for all of them)'
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -s q -l quiet -d 'Print only the result and errors'
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -s v -l verbose -d 'Report in detail what was read and what was skipped'
complete -c thingprint -n "__fish_thingprint_using_subcommand audit" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -s l -l labels -d 'What the devices are: CSV with the columns mac,label,kind, or capture,mac,label[,kind]' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l network-by -d 'Keep networks apart, each with gateways of its own: captures of a folder, or each file; the column `capture` has the name of the network' -r -f -a "folder\t'Captures in the same folder'
file\t'Each capture is a network of its own'"
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l window -d 'Length of a window, aligned to UTC (1h, 15m, 90s ...), or `capture` for one window for each file' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l evidence -d 'What is extracted: all, paper (the classification paper\'s set), or a list of names [default: all; to classify, what the model looks at]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l rate -d 'How to combine flow rates: mean of the rates, or sum of volumes over sum of durations' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l port-word -d 'Words in the bag of ports: port (443) or proto/port (tcp/443)' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l scope -d 'Flows that add to the bag of ports: all, or internet (no private peers)' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l names -d 'Sources of names: dns, sni' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l min-packets -d 'Skip windows in which a device sends fewer IP packets' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l preset -d 'Rules for flows' -r -f -a "default\t'Flows end at RST, both FINs or idle time; sizes are IP total lengths'
joy\t'Rules of Joy, the tool of the classification paper: flows end after 30 s; sizes are transport payloads'"
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l size -d 'Bytes that a flow\'s volume counts: ip (total length), payload (of the transport) or wire (frames)' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l identity -d 'Address that identifies a device: mac or ip (its private address) [default: mac; ip where link addresses do not separate hosts]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l gateway -d 'MAC address of a gateway, which is not a device; repeat it for several [default: the addresses that forward packets]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l local-nets -d 'Networks whose addresses are inside, in addition to private ones, such as 129.94.0.0/16' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l decap -d 'Tunnels to open: all, or a list of vxlan, geneve, gre, erspan, 6in4, tzsp, mpls, gtp-u' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l protocols -d 'Protocol models to use beside the built-in ones: a file, or a folder with *.json. One with the name of a built-in model replaces it' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l format -d 'Format of the result: table, json, jsonl, csv, zeek or parquet; of audit also sarif or html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -s o -l output -d 'Write the result to this file; - is standard output' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -s j -l jobs -d 'Number of threads [default: number of cores]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l seed -d 'Seed of all random choices' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l partial -d 'Write a part of a trace instead of instances: `merge` makes instances of the parts of one network'
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l no-gateway -d 'Treat every address as a device: the network has no gateway'
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l dedup -d 'Leave out frames that were captured more than once within 10 ms'
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -l sort -d 'Sort packets by time first, for captures without any order (needs memory for all of them)'
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -s q -l quiet -d 'Print only the result and errors'
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -s v -l verbose -d 'Report in detail what was read and what was skipped'
complete -c thingprint -n "__fish_thingprint_using_subcommand extract" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c thingprint -n "__fish_thingprint_using_subcommand merge" -s l -l labels -d 'What the devices are: CSV with the columns mac,label,kind' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand merge" -l gateway -d 'MAC address of a gateway, which is not a device; repeat it for several [default: those that the parts name, or whoever forwards]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand merge" -l format -d 'Format of the result: table, json, jsonl, csv, zeek or parquet; of audit also sarif or html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand merge" -s o -l output -d 'Write the result to this file; - is standard output' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand merge" -s j -l jobs -d 'Number of threads [default: number of cores]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand merge" -l seed -d 'Seed of all random choices' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand merge" -l no-gateway -d 'There is no gateway: make instances of every device'
complete -c thingprint -n "__fish_thingprint_using_subcommand merge" -s q -l quiet -d 'Print only the result and errors'
complete -c thingprint -n "__fish_thingprint_using_subcommand merge" -s v -l verbose -d 'Report in detail what was read and what was skipped'
complete -c thingprint -n "__fish_thingprint_using_subcommand merge" -s h -l help -d 'Print help'
complete -c thingprint -n "__fish_thingprint_using_subcommand train" -l scenario -d 'What the classifier looks at: ports, domains, ciphers, stage0, low, low-medium or final' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand train" -l recipe -d 'The classifier: best, two stages on all evidence, blended with a joint model of it; or paper, the two stages of the classification paper on its evidence' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand train" -l evidence -d 'The evidence that there is for the scenario to look at: paper, all, or a list of names, as for extract [default: that of the recipe]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand train" -l stage0 -d 'Estimator of stage-0: sparse, or linfa (which prints what it learns on standard error)' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand train" -l stage1 -d 'Estimator of stage-1: forest or smartcore' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand train" -l prior -d 'Class priors: weka, (1 + n) / (K + N), or relative, n / N' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand train" -l unseen -d 'Treatment of words that training never saw: others or ignore' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand train" -l trees -d 'Trees of the forest' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand train" -l attributes-per-node -d 'Attributes tried at each node of a tree [default: log2 of their number, rounded down, plus 1]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand train" -l out-of-fold -d 'Train stage-1 on stage-0 outputs of this many folds instead of in-sample ones' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand train" -l format -d 'Format of the result: table, json, jsonl, csv, zeek or parquet; of audit also sarif or html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand train" -s o -l output -d 'Write the result to this file; - is standard output' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand train" -s j -l jobs -d 'Number of threads [default: number of cores]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand train" -l seed -d 'Seed of all random choices' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand train" -s q -l quiet -d 'Print only the result and errors'
complete -c thingprint -n "__fish_thingprint_using_subcommand train" -s v -l verbose -d 'Report in detail what was read and what was skipped'
complete -c thingprint -n "__fish_thingprint_using_subcommand train" -s h -l help -d 'Print help'
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -s m -l model -d 'Evaluate this model on all instances, instead of training on a part of them' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -l split -d 'Instances that train: random=SHARE, time=SHARE (the first windows of each device), unit=SHARE (whole devices), or folds that test blocks of time in turn: cv=BLOCKS, forward=BLOCKS (trains on the blocks before)' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -l seeds -d 'Evaluate with each of these seeds, for means and deviations. Instances count once, however many seeds test them; random and unit splits test others with each seed, and all of them count' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -l scenario -d 'Evidence that the classifier uses: ports, domains, ciphers, stage0, low, low-medium, final, or all of these in turn [default: final, or the model\'s]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -l threshold -d 'Lowest confidence of an accepted answer' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -l show -d 'Table to write [default: all that a format holds: all of them in table and json, whole reports in jsonl, summary in others]' -r -f -a "summary\t'All measures, with their deviations over seeds'
classes\t'Precision, recall, F1 and support of each class'
confusion\t'Windows by true class and answer'
calibration\t'Accuracy in bins of confidence'
folds\t'The measures of each fold'
seeds\t'The measures of each seed'
comparison\t'The comparison with --against'"
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -l predictions -d 'Write every answer with the probability of each class to this file (.csv, .parquet, .json or .jsonl)' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -l against -d 'Compare with these predictions, or together with --model with this model: McNemar\'s test, and differences with intervals by a bootstrap over days of devices' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -l figures -d 'Write confusion.svg, confusion.csv and calibration.svg to this folder' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -l recipe -d 'The classifier: best, two stages on all evidence, blended with a joint model of it; or paper, the two stages of the classification paper on its evidence' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -l evidence -d 'The evidence that there is for the scenario to look at: paper, all, or a list of names, as for extract [default: that of the recipe]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -l stage0 -d 'Estimator of stage-0: sparse, or linfa (which prints what it learns on standard error)' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -l stage1 -d 'Estimator of stage-1: forest or smartcore' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -l prior -d 'Class priors: weka, (1 + n) / (K + N), or relative, n / N' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -l unseen -d 'Treatment of words that training never saw: others or ignore' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -l trees -d 'Trees of the forest' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -l attributes-per-node -d 'Attributes tried at each node of a tree [default: log2 of their number, rounded down, plus 1]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -l out-of-fold -d 'Train stage-1 on stage-0 outputs of this many folds instead of in-sample ones' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -l format -d 'Format of the result: table, json, jsonl, csv, zeek or parquet; of audit also sarif or html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -s o -l output -d 'Write the result to this file; - is standard output' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -s j -l jobs -d 'Number of threads [default: number of cores]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -l seed -d 'Seed of all random choices' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -s q -l quiet -d 'Print only the result and errors'
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -s v -l verbose -d 'Report in detail what was read and what was skipped'
complete -c thingprint -n "__fish_thingprint_using_subcommand evaluate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -s m -l model -d 'The model' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l threshold -d 'Confidence from which on an answer is accepted; below it is unknown, as is what is not like its class by the model' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l false-alarms -d 'How many windows of known devices may be taken for those of strangers: 5% or 1%' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l per -d 'Which rows to give: one for each device, each day of a device, each window of a device, or device and window' -r -f -a "device\t''
day\t''
window\t''
both\t''"
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l sets -d 'Give the smallest set of classes with this much of the probability for each row, such as 0.95' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l explain -d 'Show what spoke for and against the class of this device, or of all devices' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l figure -d 'Draw what spoke for and against the class of the device of --explain, as SVG' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -s l -l labels -d 'What the devices are, to see which answers are right: CSV with the columns mac,label,kind' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l baseline -d 'Captures or instances of an earlier time: report what changed since then (may be given several times)' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l window -d 'Length of a window, aligned to UTC (1h, 15m, 90s ...), or `capture` for one window for each file' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l evidence -d 'What is extracted: all, paper (the classification paper\'s set), or a list of names [default: all; to classify, what the model looks at]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l rate -d 'How to combine flow rates: mean of the rates, or sum of volumes over sum of durations' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l port-word -d 'Words in the bag of ports: port (443) or proto/port (tcp/443)' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l scope -d 'Flows that add to the bag of ports: all, or internet (no private peers)' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l names -d 'Sources of names: dns, sni' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l min-packets -d 'Skip windows in which a device sends fewer IP packets' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l preset -d 'Rules for flows' -r -f -a "default\t'Flows end at RST, both FINs or idle time; sizes are IP total lengths'
joy\t'Rules of Joy, the tool of the classification paper: flows end after 30 s; sizes are transport payloads'"
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l size -d 'Bytes that a flow\'s volume counts: ip (total length), payload (of the transport) or wire (frames)' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l identity -d 'Address that identifies a device: mac or ip (its private address) [default: mac; ip where link addresses do not separate hosts]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l gateway -d 'MAC address of a gateway, which is not a device; repeat it for several [default: the addresses that forward packets]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l local-nets -d 'Networks whose addresses are inside, in addition to private ones, such as 129.94.0.0/16' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l decap -d 'Tunnels to open: all, or a list of vxlan, geneve, gre, erspan, 6in4, tzsp, mpls, gtp-u' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l protocols -d 'Protocol models to use beside the built-in ones: a file, or a folder with *.json. One with the name of a built-in model replaces it' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l format -d 'Format of the result: table, json, jsonl, csv, zeek or parquet; of audit also sarif or html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -s o -l output -d 'Write the result to this file; - is standard output' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -s j -l jobs -d 'Number of threads [default: number of cores]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l seed -d 'Seed of all random choices' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l probabilities -d 'Give the probability of each class'
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l wide -d 'Show all columns in a table too, however wide it gets; the other formats always have all'
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l no-gateway -d 'Treat every address as a device: the network has no gateway'
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l dedup -d 'Leave out frames that were captured more than once within 10 ms'
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -l sort -d 'Sort packets by time first, for captures without any order (needs memory for all of them)'
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -s q -l quiet -d 'Print only the result and errors'
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -s v -l verbose -d 'Report in detail what was read and what was skipped'
complete -c thingprint -n "__fish_thingprint_using_subcommand classify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -s i -l interface -d 'Capture on this interface; repeat it for several. tcpdump does it, and needs the capability CAP_NET_RAW' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l source -d 'A source beside interfaces; repeat it for several' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l tcpdump -d 'Where tcpdump is [default: looked for in PATH]' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l stop-after -d 'End after this time, such as 10m or 24h [default: when all sources ended]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -s m -l model -d 'The model that judges devices; without one, devices, findings and changes are reported, and no classes' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l threshold -d 'Confidence from which on an answer is accepted; below it is unknown' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l false-alarms -d 'How many windows of known devices may be taken for those of strangers: 5% or 1%' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -s l -l labels -d 'What the devices are: CSV with the columns mac,label,kind; names for people, and labels to train from' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l policy -d 'Policy of the audit: the name of one that is built in, or a file' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l store -d 'The store [default: thingprint.db here; in a service, in its state directory]' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l keep -d 'How long windows, changes and acknowledged events are kept, such as 90d [default: for ever]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l listen -d 'Where the page is served' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l token-file -d 'A file with the token that opens the page [default: a random one for each start, printed once with the address]' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l trusted-host -d 'A name by which a reverse proxy asks for the page; repeat it for several' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l notify -d 'Send events there; repeat it for several: stdout, file:PATH, http(s)://..., syslog://HOST:PORT, syslog:/dev/log, mqtt://HOST:PORT/PREFIX' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l notify-severity -d 'Send events of this severity and above: note, warning or error' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l notify-kinds -d 'Send events of these kinds alone, such as new-device,verdict-changed' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l webhook-key-file -d 'A file with the key that signs webhooks (HMAC-SHA256)' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l webhook-roots -d 'Certificates (PEM) that servers of webhooks are checked against, in place of the public ones' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l mqtt-password-file -d 'A file with the password of the user in mqtt://USER@HOST' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l discovery -d 'What Home Assistant is shown by MQTT: by-mac, apart (devices without their MAC addresses) or off' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l config -d 'A file of TOML with any of these options, such as `interface = ["eth0"]`; what is typed takes the place of what it says' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l window -d 'Length of a window, aligned to UTC (1h, 15m, 90s ...), or `capture` for one window for each file' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l evidence -d 'What is extracted: all, paper (the classification paper\'s set), or a list of names [default: all; to classify, what the model looks at]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l rate -d 'How to combine flow rates: mean of the rates, or sum of volumes over sum of durations' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l port-word -d 'Words in the bag of ports: port (443) or proto/port (tcp/443)' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l scope -d 'Flows that add to the bag of ports: all, or internet (no private peers)' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l names -d 'Sources of names: dns, sni' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l min-packets -d 'Skip windows in which a device sends fewer IP packets' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l preset -d 'Rules for flows' -r -f -a "default\t'Flows end at RST, both FINs or idle time; sizes are IP total lengths'
joy\t'Rules of Joy, the tool of the classification paper: flows end after 30 s; sizes are transport payloads'"
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l size -d 'Bytes that a flow\'s volume counts: ip (total length), payload (of the transport) or wire (frames)' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l identity -d 'Address that identifies a device: mac or ip (its private address) [default: mac; ip where link addresses do not separate hosts]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l gateway -d 'MAC address of a gateway, which is not a device; repeat it for several [default: the addresses that forward packets]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l local-nets -d 'Networks whose addresses are inside, in addition to private ones, such as 129.94.0.0/16' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l decap -d 'Tunnels to open: all, or a list of vxlan, geneve, gre, erspan, 6in4, tzsp, mpls, gtp-u' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l protocols -d 'Protocol models to use beside the built-in ones: a file, or a folder with *.json. One with the name of a built-in model replaces it' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l format -d 'Format of the result: table, json, jsonl, csv, zeek or parquet; of audit also sarif or html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -s o -l output -d 'Write the result to this file; - is standard output' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -s j -l jobs -d 'Number of threads [default: number of cores]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l seed -d 'Seed of all random choices' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l no-audit -d 'Audit nothing'
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l no-page -d 'Serve no page'
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l print-config -d 'Print a configuration with every option as a comment, and end'
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l check -d 'Check options, files, sources and the store, and end: 0 where watching could begin'
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l no-gateway -d 'Treat every address as a device: the network has no gateway'
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l dedup -d 'Leave out frames that were captured more than once within 10 ms'
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -l sort -d 'Sort packets by time first, for captures without any order (needs memory for all of them)'
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -s q -l quiet -d 'Print only the result and errors'
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -s v -l verbose -d 'Report in detail what was read and what was skipped'
complete -c thingprint -n "__fish_thingprint_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and not __fish_seen_subcommand_from list show lint test help" -l format -d 'Format of the result: table, json, jsonl, csv, zeek or parquet; of audit also sarif or html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and not __fish_seen_subcommand_from list show lint test help" -s o -l output -d 'Write the result to this file; - is standard output' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and not __fish_seen_subcommand_from list show lint test help" -s j -l jobs -d 'Number of threads [default: number of cores]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and not __fish_seen_subcommand_from list show lint test help" -l seed -d 'Seed of all random choices' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and not __fish_seen_subcommand_from list show lint test help" -s q -l quiet -d 'Print only the result and errors'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and not __fish_seen_subcommand_from list show lint test help" -s v -l verbose -d 'Report in detail what was read and what was skipped'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and not __fish_seen_subcommand_from list show lint test help" -s h -l help -d 'Print help'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and not __fish_seen_subcommand_from list show lint test help" -f -a "list" -d 'List the protocols, in the order in which detection tries them'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and not __fish_seen_subcommand_from list show lint test help" -f -a "show" -d 'Show the model of a protocol as JSON'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and not __fish_seen_subcommand_from list show lint test help" -f -a "lint" -d 'Check models for errors and for likely mistakes'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and not __fish_seen_subcommand_from list show lint test help" -f -a "test" -d 'Test a model on captures against the built-in ones: which flows it detects, misses, and detects by mistake'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and not __fish_seen_subcommand_from list show lint test help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from list" -l protocols -d 'Protocol models to use beside the built-in ones: a file, or a folder with *.json. One with the name of a built-in model replaces it' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from list" -l format -d 'Format of the result: table, json, jsonl, csv, zeek or parquet; of audit also sarif or html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from list" -s o -l output -d 'Write the result to this file; - is standard output' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from list" -s j -l jobs -d 'Number of threads [default: number of cores]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from list" -l seed -d 'Seed of all random choices' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print only the result and errors'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Report in detail what was read and what was skipped'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from show" -l protocols -d 'Protocol models to use beside the built-in ones: a file, or a folder with *.json. One with the name of a built-in model replaces it' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from show" -l format -d 'Format of the result: table, json, jsonl, csv, zeek or parquet; of audit also sarif or html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from show" -s o -l output -d 'Write the result to this file; - is standard output' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from show" -s j -l jobs -d 'Number of threads [default: number of cores]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from show" -l seed -d 'Seed of all random choices' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print only the result and errors'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Report in detail what was read and what was skipped'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from lint" -l fail-on -d 'Exit with status 3 if there are warnings. Files that are not usable models always give status 1' -r -f -a "warning\t''
error\t''"
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from lint" -l format -d 'Format of the result: table, json, jsonl, csv, zeek or parquet; of audit also sarif or html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from lint" -s o -l output -d 'Write the result to this file; - is standard output' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from lint" -s j -l jobs -d 'Number of threads [default: number of cores]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from lint" -l seed -d 'Seed of all random choices' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from lint" -s q -l quiet -d 'Print only the result and errors'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from lint" -s v -l verbose -d 'Report in detail what was read and what was skipped'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from lint" -s h -l help -d 'Print help'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from test" -l preset -d 'Rules for flows' -r -f -a "default\t'Flows end at RST, both FINs or idle time; sizes are IP total lengths'
joy\t'Rules of Joy, the tool of the classification paper: flows end after 30 s; sizes are transport payloads'"
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from test" -l size -d 'Bytes that a flow\'s volume counts: ip (total length), payload (of the transport) or wire (frames)' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from test" -l identity -d 'Address that identifies a device: mac or ip (its private address) [default: mac; ip where link addresses do not separate hosts]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from test" -l gateway -d 'MAC address of a gateway, which is not a device; repeat it for several [default: the addresses that forward packets]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from test" -l local-nets -d 'Networks whose addresses are inside, in addition to private ones, such as 129.94.0.0/16' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from test" -l decap -d 'Tunnels to open: all, or a list of vxlan, geneve, gre, erspan, 6in4, tzsp, mpls, gtp-u' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from test" -l format -d 'Format of the result: table, json, jsonl, csv, zeek or parquet; of audit also sarif or html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from test" -s o -l output -d 'Write the result to this file; - is standard output' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from test" -s j -l jobs -d 'Number of threads [default: number of cores]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from test" -l seed -d 'Seed of all random choices' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from test" -l no-gateway -d 'Treat every address as a device: the network has no gateway'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from test" -l dedup -d 'Leave out frames that were captured more than once within 10 ms'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from test" -l sort -d 'Sort packets by time first, for captures without any order (needs memory for all of them)'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from test" -s q -l quiet -d 'Print only the result and errors'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from test" -s v -l verbose -d 'Report in detail what was read and what was skipped'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the protocols, in the order in which detection tries them'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show the model of a protocol as JSON'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from help" -f -a "lint" -d 'Check models for errors and for likely mistakes'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from help" -f -a "test" -d 'Test a model on captures against the built-in ones: which flows it detects, misses, and detects by mistake'
complete -c thingprint -n "__fish_thingprint_using_subcommand protocols; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c thingprint -n "__fish_thingprint_using_subcommand simulate" -l duration -d 'Duration: 2d, 12h, 90m ...' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand simulate" -l start -d 'Start time in UTC [default: start of the home\'s trace, else 2024-06-03T00:00:00Z]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand simulate" -l snaplen -d 'Bytes captured of each frame; original lengths are kept [default: all]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand simulate" -l home -d 'The home: default (eight kinds of devices and a laptop), unsafe (each device breaks a rule of the audit), unsw28 (the classification paper\'s testbed of 28 devices and its computers), or a folder with dataset.toml and devices/*.toml' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand simulate" -s l -l labels -d 'Write the labels of the devices' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand simulate" -l format -d 'Format of the result: table, json, jsonl, csv, zeek or parquet; of audit also sarif or html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand simulate" -s o -l output -d 'Write the result to this file; - is standard output' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand simulate" -s j -l jobs -d 'Number of threads [default: number of cores]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand simulate" -l seed -d 'Seed of all random choices' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand simulate" -s q -l quiet -d 'Print only the result and errors'
complete -c thingprint -n "__fish_thingprint_using_subcommand simulate" -s v -l verbose -d 'Report in detail what was read and what was skipped'
complete -c thingprint -n "__fish_thingprint_using_subcommand simulate" -s h -l help -d 'Print help'
complete -c thingprint -n "__fish_thingprint_using_subcommand experiment" -l data -d 'Where the captures of a data set are (may be given several times)' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand experiment" -l only -d 'Run on these data sets only, instead of all that a definition names' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand experiment" -l datasets -d 'Folder of the descriptions of data sets' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand experiment" -l results -d 'Folder that results are written to, one folder for each experiment and data set' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand experiment" -l cache -d 'Folder of extracted instances, which later runs use again [default: in the user\'s cache folder]' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand experiment" -l days -d 'Play simulated data sets for so many days only, to try things out' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand experiment" -l format -d 'Format of the result: table, json, jsonl, csv, zeek or parquet; of audit also sarif or html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand experiment" -s o -l output -d 'Write the result to this file; - is standard output' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand experiment" -s j -l jobs -d 'Number of threads [default: number of cores]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand experiment" -l seed -d 'Seed of all random choices' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand experiment" -l all -d 'Run every definition of the folder experiments/'
complete -c thingprint -n "__fish_thingprint_using_subcommand experiment" -s q -l quiet -d 'Print only the result and errors'
complete -c thingprint -n "__fish_thingprint_using_subcommand experiment" -s v -l verbose -d 'Report in detail what was read and what was skipped'
complete -c thingprint -n "__fish_thingprint_using_subcommand experiment" -s h -l help -d 'Print help'
complete -c thingprint -n "__fish_thingprint_using_subcommand demo" -l folder -d 'Folder for the files of the demonstration' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand demo" -l format -d 'Format of the result: table, json, jsonl, csv, zeek or parquet; of audit also sarif or html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand demo" -s o -l output -d 'Write the result to this file; - is standard output' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand demo" -s j -l jobs -d 'Number of threads [default: number of cores]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand demo" -l seed -d 'Seed of all random choices' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand demo" -s q -l quiet -d 'Print only the result and errors'
complete -c thingprint -n "__fish_thingprint_using_subcommand demo" -s v -l verbose -d 'Report in detail what was read and what was skipped'
complete -c thingprint -n "__fish_thingprint_using_subcommand demo" -s h -l help -d 'Print help'
complete -c thingprint -n "__fish_thingprint_using_subcommand generate" -l format -d 'Format of the result: table, json, jsonl, csv, zeek or parquet; of audit also sarif or html [default: table on a terminal, jsonl in a pipe, else by the extension of --output]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand generate" -s o -l output -d 'Write the result to this file; - is standard output' -r -F
complete -c thingprint -n "__fish_thingprint_using_subcommand generate" -s j -l jobs -d 'Number of threads [default: number of cores]' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand generate" -l seed -d 'Seed of all random choices' -r
complete -c thingprint -n "__fish_thingprint_using_subcommand generate" -s q -l quiet -d 'Print only the result and errors'
complete -c thingprint -n "__fish_thingprint_using_subcommand generate" -s v -l verbose -d 'Report in detail what was read and what was skipped'
complete -c thingprint -n "__fish_thingprint_using_subcommand generate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c thingprint -n "__fish_thingprint_using_subcommand help; and not __fish_seen_subcommand_from devices flows audit extract merge train evaluate classify watch protocols simulate experiment demo generate help" -f -a "devices" -d 'List the devices of captures, and write a label file to fill in'
complete -c thingprint -n "__fish_thingprint_using_subcommand help; and not __fish_seen_subcommand_from devices flows audit extract merge train evaluate classify watch protocols simulate experiment demo generate help" -f -a "flows" -d 'List the flows of captures, with their protocols and messages'
complete -c thingprint -n "__fish_thingprint_using_subcommand help; and not __fish_seen_subcommand_from devices flows audit extract merge train evaluate classify watch protocols simulate experiment demo generate help" -f -a "audit" -d 'Check devices against best practice; fingerprints and MUD profiles'
complete -c thingprint -n "__fish_thingprint_using_subcommand help; and not __fish_seen_subcommand_from devices flows audit extract merge train evaluate classify watch protocols simulate experiment demo generate help" -f -a "extract" -d 'Extract instances from captures: one row for each device and window'
complete -c thingprint -n "__fish_thingprint_using_subcommand help; and not __fish_seen_subcommand_from devices flows audit extract merge train evaluate classify watch protocols simulate experiment demo generate help" -f -a "merge" -d 'Make instances of parts that were extracted apart'
complete -c thingprint -n "__fish_thingprint_using_subcommand help; and not __fish_seen_subcommand_from devices flows audit extract merge train evaluate classify watch protocols simulate experiment demo generate help" -f -a "train" -d 'Train a model on labelled instances'
complete -c thingprint -n "__fish_thingprint_using_subcommand help; and not __fish_seen_subcommand_from devices flows audit extract merge train evaluate classify watch protocols simulate experiment demo generate help" -f -a "evaluate" -d 'Measure a classifier on labelled instances'
complete -c thingprint -n "__fish_thingprint_using_subcommand help; and not __fish_seen_subcommand_from devices flows audit extract merge train evaluate classify watch protocols simulate experiment demo generate help" -f -a "classify" -d 'Classify devices, with a confidence'
complete -c thingprint -n "__fish_thingprint_using_subcommand help; and not __fish_seen_subcommand_from devices flows audit extract merge train evaluate classify watch protocols simulate experiment demo generate help" -f -a "watch" -d 'Watch a network live: who is there, what each device is, what changed'
complete -c thingprint -n "__fish_thingprint_using_subcommand help; and not __fish_seen_subcommand_from devices flows audit extract merge train evaluate classify watch protocols simulate experiment demo generate help" -f -a "protocols" -d 'List, show, check and test the models that detect protocols'
complete -c thingprint -n "__fish_thingprint_using_subcommand help; and not __fish_seen_subcommand_from devices flows audit extract merge train evaluate classify watch protocols simulate experiment demo generate help" -f -a "simulate" -d 'Write a capture of a simulated home'
complete -c thingprint -n "__fish_thingprint_using_subcommand help; and not __fish_seen_subcommand_from devices flows audit extract merge train evaluate classify watch protocols simulate experiment demo generate help" -f -a "experiment" -d 'Run experiments: tables and figures of the classification paper, and further questions'
complete -c thingprint -n "__fish_thingprint_using_subcommand help; and not __fish_seen_subcommand_from devices flows audit extract merge train evaluate classify watch protocols simulate experiment demo generate help" -f -a "demo" -d 'Simulate a home, train on it, and show how well its devices are classified'
complete -c thingprint -n "__fish_thingprint_using_subcommand help; and not __fish_seen_subcommand_from devices flows audit extract merge train evaluate classify watch protocols simulate experiment demo generate help" -f -a "generate" -d 'Write manual pages, completions and the configuration of the package'
complete -c thingprint -n "__fish_thingprint_using_subcommand help; and not __fish_seen_subcommand_from devices flows audit extract merge train evaluate classify watch protocols simulate experiment demo generate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c thingprint -n "__fish_thingprint_using_subcommand help; and __fish_seen_subcommand_from protocols" -f -a "list" -d 'List the protocols, in the order in which detection tries them'
complete -c thingprint -n "__fish_thingprint_using_subcommand help; and __fish_seen_subcommand_from protocols" -f -a "show" -d 'Show the model of a protocol as JSON'
complete -c thingprint -n "__fish_thingprint_using_subcommand help; and __fish_seen_subcommand_from protocols" -f -a "lint" -d 'Check models for errors and for likely mistakes'
complete -c thingprint -n "__fish_thingprint_using_subcommand help; and __fish_seen_subcommand_from protocols" -f -a "test" -d 'Test a model on captures against the built-in ones: which flows it detects, misses, and detects by mistake'
