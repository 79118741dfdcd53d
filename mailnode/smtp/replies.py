"""What we say: the standard replies, one catalogue (RFC 5321 4.2.3; enhanced status codes of RFC 3463 and RFC 5248).

A reply tells the peer what it must know and nothing of our inside. Each stands with the clause it comes from.
"""

from mailnode.mail.address import Mailbox
from mailnode.mail.reply import Reply

# --- it is well -------------------------------------------------------------------------------------------------

OK = Reply.of(250, "2.0.0", "OK")  # RFC 5321 4.2.3
SENDER_OK = Reply.of(250, "2.1.0", "Sender OK")  # RFC 3463 3.2
RECIPIENT_OK = Reply.of(250, "2.1.5", "Recipient OK")  # RFC 3463 3.2
START_DATA = Reply.of(354, "", "Go ahead; end with <CRLF>.<CRLF>")  # RFC 5321 4.1.1.4
START_TLS = Reply.of(220, "", "Go ahead with TLS")  # RFC 3207 4
TLS_NOT_NOW = Reply.of(454, "4.7.0", "TLS cannot be had now")  # RFC 3207 4
VERBOSE = Reply.of(250, "2.0.0", "Verbose mode")
TERSE = Reply.of(250, "2.0.0", "Terse mode")
CANNOT_VERIFY = Reply.of(252, "2.5.2", "Cannot verify, but send and I will try")  # RFC 5321 3.5.3, 7.3
CANNOT_EXPAND = Reply.of(252, "2.5.2", "Lists are not shown, but send and I will try")  # RFC 5321 7.3
IS_A_LIST = Reply.of(252, "2.5.2", "This is a mailing list; EXPN asks for its members")  # RFC 5321 3.5.2
ON_TERMINAL = Reply.of(250, "2.1.5", "Shown on a terminal")  # RFC 821 3.4
BYE = Reply.of(221, "2.0.0", "Bye")  # RFC 5321 4.1.1.10

# --- the session ------------------------------------------------------------------------------------------------

SHUTTING_DOWN = Reply.of(421, "4.3.2", "Shutting down; please come back")  # RFC 5321 3.8
TIMED_OUT = Reply.of(421, "4.4.2", "Waited too long for you")  # RFC 5321 4.5.3.2
TOO_BUSY = Reply.of(421, "4.3.2", "Too busy; please come back")  # RFC 5321 3.1, 3.8
TOO_MANY_CONNECTIONS = Reply.of(421, "4.7.0", "Too many connections from your address")  # RFC 5321 7.8
TOO_MANY_ERRORS = Reply.of(421, "4.7.0", "Too many errors")  # RFC 5321 7.8
TOO_MANY_TRANSACTIONS = Reply.of(421, "4.7.0", "Too many messages in one session")  # RFC 9422 4.1
EARLY_TALKER = Reply.of(554, "5.5.1", "You must wait for the greeting")  # RFC 5321 3.1, 4.3.1
NO_SERVICE = Reply.of(503, "5.5.1", "No service here; only QUIT")  # RFC 5321 3.1

# --- order ------------------------------------------------------------------------------------------------------

HELLO_FIRST = Reply.of(503, "5.5.1", "Say EHLO or HELO first")  # RFC 5321 4.1.4
LHLO_FIRST = Reply.of(503, "5.5.1", "Say LHLO first")  # RFC 2033 4.1
MAIL_FIRST = Reply.of(503, "5.5.1", "Say MAIL first")  # RFC 5321 4.1.4
RCPT_FIRST = Reply.of(503, "5.5.1", "Say RCPT first")  # RFC 5321 4.1.4
NESTED_MAIL = Reply.of(503, "5.5.1", "A mail transaction is already open")  # RFC 5321 3.3
NO_VALID_RECIPIENTS = Reply.of(554, "5.5.1", "No valid recipients")  # RFC 5321 3.3
LMTP_NO_VALID_RECIPIENTS = Reply.of(503, "5.5.1", "No valid recipients")  # RFC 2033 4.2
CHUNKS_BEGUN = Reply.of(503, "5.5.1", "Content has begun with BDAT; go on with BDAT or RSET")  # RFC 3030 2
DATA_FOR_BINARY = Reply.of(503, "5.5.1", "BINARYMIME content travels by BDAT only")  # RFC 3030 3
NOT_NOW = Reply.of(503, "5.5.1", "Not within a mail transaction")  # RFC 5321 4.1.4

# --- syntax -----------------------------------------------------------------------------------------------------

UNKNOWN_COMMAND = Reply.of(500, "5.5.2", "Command not known")  # RFC 5321 4.2.4
NOT_OFFERED = Reply.of(502, "5.5.1", "Command not offered")  # RFC 5321 4.2.4
TURN_IS_INSECURE = Reply.of(502, "5.5.1", "TURN is insecure: nobody knows who asks for the mail")  # RFC 5321 F.1
NO_SUCH_TOPIC = Reply.of(504, "5.5.4", "No help on this; HELP alone shows what there is")  # RFC 5321 4.3.2
ON_OR_OFF = Reply.of(501, "5.5.4", "Syntax: VERB [ON | OFF]")
LINE_TOO_LONG = Reply.of(500, "5.5.2", "Command line too long")  # RFC 5321 4.5.3.1.4, 4.5.3.1.9
BARE_NEWLINE_IN_COMMAND = Reply.of(500, "5.5.2", "Command lines end with CRLF, no CR or LF stands alone")  # 2.3.8
CONTROL_IN_COMMAND = Reply.of(500, "5.5.2", "Control characters have no place in a command")  # RFC 5321 4.1.1
NOT_UTF8 = Reply.of(500, "5.5.2", "The command is neither ASCII nor UTF-8")  # RFC 6531 3.7.1
NAME_NEEDED = Reply.of(501, "5.5.4", "Say your name: a domain or an address literal")  # RFC 5321 4.1.1.1
MAIL_SYNTAX = Reply.of(501, "5.5.4", "Syntax: MAIL FROM:<address> [parameters]")  # RFC 5321 4.1.1.2
RCPT_SYNTAX = Reply.of(501, "5.5.4", "Syntax: RCPT TO:<address> [parameters]")  # RFC 5321 4.1.1.3
NO_ARGUMENT = Reply.of(501, "5.5.4", "This command takes no argument")  # RFC 5321 4.3.2
ARGUMENT_NEEDED = Reply.of(501, "5.5.4", "This command needs an argument")  # RFC 5321 4.1.1.6
BDAT_SYNTAX = Reply.of(421, "4.5.4", "Not BDAT size [LAST]: where your content ends cannot be known")  # RFC 3030 2
PARAMETER_SYNTAX = Reply.of(501, "5.5.4", "A parameter is KEYWORD or KEYWORD=value")  # RFC 5321 4.1.2
PARAMETER_TWICE = Reply.of(501, "5.5.4", "A parameter stands twice")  # RFC 5321 4.1.1.11
PARAMETER_UNKNOWN = Reply.of(555, "5.5.4", "Parameter not known")  # RFC 5321 4.1.1.11
UTF8_SENDER = Reply.of(553, "5.6.7", "This address needs SMTPUTF8")  # RFC 6531 3.5
UTF8_RECIPIENT = Reply.of(550, "5.6.7", "This address needs SMTPUTF8")  # RFC 6531 3.5

# --- AUTH (RFC 4954 sections 4 and 6) ---------------------------------------------------------------------------

AUTHENTICATED = Reply.of(235, "2.7.0", "Authenticated")
AUTH_SYNTAX = Reply.of(501, "5.5.4", "Syntax: AUTH mechanism [initial-response]")
AUTH_CANCELLED = Reply.of(501, "5.7.0", "Authentication cancelled")
AUTH_NOT_BASE64 = Reply.of(501, "5.5.2", "Not base64")
AUTH_LINE_TOO_LONG = Reply.of(500, "5.5.6", "Authentication exchange line too long")
AUTH_TWICE = Reply.of(503, "5.5.1", "You are authenticated already")
MECHANISM_UNKNOWN = Reply.of(504, "5.5.4", "Mechanism not offered")
MECHANISM_TOO_WEAK = Reply.of(534, "5.7.9", "This mechanism is too weak here")
ENCRYPTION_REQUIRED = Reply.of(538, "5.7.11", "Authentication needs TLS here")
CREDENTIALS_INVALID = Reply.of(535, "5.7.8", "Authentication credentials invalid")
AUTH_TROUBLE = Reply.of(454, "4.7.0", "Temporary authentication failure")
TOO_MANY_FAILURES = Reply.of(454, "4.7.0", "Too many failed authentications; try again later")
CLIENT_LOCKED_OUT = Reply.of(421, "4.7.0", "Too many failed authentications from your address; try again later")
ACCOUNT_DISABLED = Reply.of(525, "5.7.13", "This account is disabled")  # RFC 5248 2.4

# --- the transaction --------------------------------------------------------------------------------------------

TOO_MANY_RECIPIENTS = Reply.of(
    452, "4.5.3", "Too many recipients; send the others in another transaction"
)  # 4.5.3.1.10
TOO_BIG = Reply.of(552, "5.3.4", "Message too big")  # RFC 1870 6.1, 6.3
NO_ROOM = Reply.of(452, "4.3.1", "No room for the message now")  # RFC 5321 4.2.3
BARE_NEWLINE = Reply.of(550, "5.6.11", "Content has a CR or LF that stands alone")  # RFC 5321 2.3.8
TEXT_LINE_TOO_LONG = Reply.of(500, "5.5.2", "Content has a line that is too long")  # RFC 5321 4.5.3.1.6, 4.5.3.1.9
RELAYING_DENIED = Reply.of(550, "5.7.1", "We do not relay there")  # RFC 5321 7.1, RFC 3463 3.8
USER_NOT_ALLOWED = Reply.of(554, "5.7.1", "This user has no business here")  # RFC 5321 3.1
MAY_NOT_SPEAK_FOR_OTHERS = Reply.of(550, "5.7.0", "You may not speak for other clients")  # Postfix's XCLIENT_README
AUTHENTICATION_REQUIRED = Reply.of(530, "5.7.0", "Authentication required")  # RFC 4954 6
NO_SUCH_MAILBOX = Reply.of(550, "5.1.1", "No such mailbox here")  # RFC 5321 3.3, RFC 3463 3.2
NO_SUCH_LIST = Reply.of(550, "5.1.1", "No such list here")  # RFC 5321 3.5
NOT_ACTIVE = Reply.of(450, "4.2.1", "This user has no terminal that takes messages now")  # RFC 821 3.4
NO_TERMINAL = Reply.of(550, "5.3.3", "Only users of this host have a terminal here")  # RFC 821 3.4, RFC 3463 3.4
NOT_ON_YOUR_WORD = Reply.of(550, "5.7.1", "You may not write to terminals here")  # RFC 821 3.4
NO_REPORT_NOW = Reply.of(
    455, "4.3.3", "No report of success can be given while the user is at a terminal"
)  # RFC 5321 4.2.3
NO_REPORT_OF_TERMINALS = Reply.of(555, "5.5.4", "SEND and a report of success do not go together")  # RFC 3461 4.1
ANSWERED_BY_OURSELVES = Reply.of(554, "5.4.6", "The next hop is this host itself")  # RFC 5321 5.1
TOO_MANY_HOPS = Reply.of(554, "5.4.6", "Too many hops: the message goes in circles")  # RFC 5321 6.3
CIRCLE = Reply.of(554, "5.4.6", "This message was sent on from here before: it goes in a circle")  # RFC 5321 6.3
LOCAL_TROUBLE = Reply.of(451, "4.3.0", "Local trouble; please try again")  # RFC 5321 4.2.3

# --- users who moved --------------------------------------------------------------------------------------------


def will_forward_to(mailbox: Mailbox) -> Reply:
    """Tell that the user's mail is sent on (RFC 5321 section 3.4)."""
    return Reply.of(251, "2.1.5", f"User not local; will forward to <{mailbox}>")
