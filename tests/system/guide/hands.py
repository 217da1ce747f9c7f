"""Who carries out what a check tells: each remedy's command, as it was printed.

``causeway`` runs for real. Of ``az`` and of PowerShell's cmdlets there are fakes here, since neither Azure nor Windows
is: each knows the few commands that checks print in this scenario, reads all of their arguments, changes the fake or
the real program that stands for what the command would change, and fails at anything else.
"""

import json
import re
import shlex
from collections.abc import Mapping

from tests.system.guide.contoso import Contoso

_THEN = "`, then `"
_COMMANDS = re.compile(r"`[^`]+`(?:, then `[^`]+`)*")
_RECOVER = re.compile(r"az keyvault recover --name (\S+)")
_NAMES = re.compile(r"'([^']+)'")
_NEW_GROUP = re.compile(
    r"New-ADGroup -Name '([^']+)' -GroupScope (\w+) -GroupCategory Security -Description '((?:[^']|'')+)'"
)
_ADD_MEMBERS = re.compile(r"Add-ADGroupMember -Identity '([^']+)' -Members ('[^']+'(?:, '[^']+')*)")
_SCOPES = {"Global": "GTYPE_SECURITY_GLOBAL_GROUP", "Universal": "GTYPE_SECURITY_UNIVERSAL_GROUP"}
_RECORD = re.compile(
    r"az network dns record-set cname set-record --resource-group rg-dns --zone-name (\S+) --record-set-name (\S+) "
    r"--cname (\S+) --ttl (\d+)"
)


def _unquoted(text: str) -> str:
    return text.replace("''", "'")


class Hands:
    """An administrator who does what is printed.

    Attributes:
        done: the commands that were carried out, in order.
    """

    def __init__(self, contoso: Contoso, blanks: Mapping[str, str], more: Mapping[str, tuple[str, ...]]) -> None:
        """Make one.

        Args:
            contoso: where.
            blanks: what is filled in for ``<what is to be filled in>``.
            more: arguments that the administrator adds, by the command's first words.
        """
        self._contoso = contoso
        self._blanks = blanks
        self._more = more
        self.done: list[str] = []

    def carry_out(self, action: str) -> None:
        """Carry out the first command of a remedy, and those after it that are joined by "then"; each once."""
        found = _COMMANDS.search(action)
        assert found, f"no command: {action}"
        for command in found[0].strip("`").split(_THEN):
            if command not in self.done:
                self.done.append(command)
                self._carry_out(command)

    def _carry_out(self, command: str) -> None:
        if command.startswith("causeway "):
            self._causeway(command)
        elif command.startswith("az "):
            self._az(command)
        elif command.startswith(("New-AD", "Add-AD")):
            self._active_directory(command)
        else:
            self._site_systems(command)

    def _causeway(self, command: str) -> None:
        words = [self._blanks[word] if word.startswith("<") else word for word in shlex.split(command)]
        more = next((added for first, added in self._more.items() if command.startswith(first)), ())
        ran = self._contoso.causeway(*words[1:], *more)
        assert ran.returncode == 0, (command, ran.stdout, ran.stderr)

    def _az(self, command: str) -> None:
        if match := _RECORD.fullmatch(command):
            zone, label, target, ttl = match.groups()
            self._contoso.dns.put_record(zone, label, "CNAME", f"{target}.", int(ttl))
        elif match := _RECOVER.fullmatch(command):
            azure = self._contoso.azure
            state = azure.state()
            found = [each for each in state["deleted_vaults"] if each["name"] == match[1]]
            state["deleted_vaults"] = [each for each in state["deleted_vaults"] if each not in found]
            state["vaults"] += found
            azure.state_file.write_text(json.dumps(state))
        else:
            raise AssertionError(f"the fake of az does not know: {command}")

    def _active_directory(self, command: str) -> None:
        if match := _NEW_GROUP.fullmatch(command):
            name, scope, description = match.groups()
            group = f"sam.newgroup({name!r}, grouptype=dsdb.{_SCOPES[scope]}, description={_unquoted(description)!r})"
            script = f"from samba import dsdb\n{group}"
        elif match := _ADD_MEMBERS.fullmatch(command):
            script = f"sam.add_remove_group_members({match[1]!r}, {_NAMES.findall(match[2])!r}, True)"
        else:
            raise AssertionError(f"the fake of PowerShell does not know: {command}")
        self._contoso.directory.edit(script)

    def _site_systems(self, command: str) -> None:
        site_systems = self._contoso.site_systems
        if match := re.fullmatch(r"Set-CMManagementPoint -SiteSystemServerName (\S+) -EnableSsl \$true", command):
            site_systems.asks_for_certificates.add(match[1])
        elif command == 'Start-WebAppPool "WsusPool"':
            site_systems.pool_runs = True
        elif re.fullmatch(r"('\w+', )+'\w+' \| ForEach-Object \{ .*sslFlags:Ssl .*\}; .*configuressl \S+", command):
            site_systems.ssl_required = tuple(re.findall(r"'(\w+)'", command))
        else:
            raise AssertionError(f"the fake of PowerShell does not know: {command}")
        site_systems.start()
