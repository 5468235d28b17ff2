#!/usr/bin/env escript
%% A TLS 1.2 peer made of Erlang's ssl: `peer.escript server CERT KEY CERT KEY SUITE...`, `peer.escript client PORT CA SUITE...`, which
%% connects twice with each, or `peer.escript suites`; suites by IANA's names. With a pre-shared key, `psk IDENTITY KEY` goes before.
%% Prints a line for each connection.
main(["suites"]) ->
    [io:format("~s~n", [ssl:suite_to_str(Suite)]) || Kind <- [all, anonymous], Suite <- ssl:cipher_suites(Kind, 'tlsv1.2')];
main(["psk", Identity, Key | Words]) ->
    put(psk, [{psk_identity, Identity}, {user_lookup_fun, {fun lookup/3, {list_to_binary(Identity), binary:decode_hex(list_to_binary(Key))}}}]),
    main(Words);
main(["server", Cert1, Key1, Cert2, Key2 | Suites]) ->
    {ok, _} = application:ensure_all_started(ssl),
    {ok, Listening} = ssl:listen(0, [{ip, {127, 0, 0, 1}}, {reuseaddr, true},
                                    {certs_keys, [#{certfile => Cert1, keyfile => Key1}, #{certfile => Cert2, keyfile => Key2}]} |
                                    common(Suites)]),
    {ok, {_, Port}} = ssl:sockname(Listening),
    io:format("port ~b~n", [Port]),
    serve(Listening);
main(["client", Port, CA | Suites]) ->
    {ok, _} = application:ensure_all_started(ssl),
    [connect(list_to_integer(Port), CA, [Suite]) || Suite <- Suites, _ <- [first, again]].

%% A server is asked by the identity that came, a client by the hint, which may not have come.
lookup(psk, Asked, {Identity, Key}) when Asked =:= Identity; Asked =:= <<>>; Asked =:= undefined -> {ok, Key};
lookup(psk, _, _) -> error.

common(Suites) ->
    case get(psk) of undefined -> []; Shared -> Shared end ++
    [binary, {active, false}, {packet, line}, {versions, ['tlsv1.2']}, {ciphers, [ssl:str_to_suite(Suite) || Suite <- Suites]}].

serve(Listening) ->
    {ok, Socket} = ssl:transport_accept(Listening),
    case ssl:handshake(Socket, 10000) of
        {ok, Connection} ->
            tell(Connection),
            echo(Connection),
            ssl:close(Connection);
        {error, Reason} -> io:format("failed ~0p~n", [Reason])
    end,
    serve(Listening).

%% Once, for a passive socket hears nothing of a close_notify.
echo(Connection) ->
    case ssl:recv(Connection, 0, 300) of
        {ok, Line} -> ssl:send(Connection, Line);
        {error, _} -> ok
    end.

%% With PSK alone it would take the master secret of the connection before, though that left no session behind.
connect(Port, CA, Suites) ->
    Options = [{cacertfile, CA}, {verify, verify_peer}, {server_name_indication, "localhost"}, {reuse_sessions, get(psk) =:= undefined} | common(Suites)],
    case ssl:connect("localhost", Port, Options, 10000) of  % which it knows sessions by
        {ok, Connection} ->
            tell(Connection),
            ok = ssl:send(Connection, "over the wire\n"),
            {ok, Line} = ssl:recv(Connection, 0, 10000),
            io:format("echo ~s", [Line]),
            ssl:close(Connection);
        {error, Reason} -> io:format("failed ~0p~n", [Reason])
    end.

tell(Connection) ->
    {ok, Facts} = ssl:connection_information(Connection, [protocol, selected_cipher_suite, session_resumption]),
    io:format("~s ~s ~p~n", [proplists:get_value(protocol, Facts), ssl:suite_to_str(proplists:get_value(selected_cipher_suite, Facts)),
                             proplists:get_value(session_resumption, Facts)]).
