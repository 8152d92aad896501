"""The statistics packet of the founding story."""

STORY = (
    '<item id="2560" status="true" vdcid="9fdc0391-4a27-4a6c-9b9f-91137849c1da"> '
    '<net name="orgnet-ISP_TEST2">4b9de9ad-a4d1-44e5-a846-0143c380e854</net> '
    '<vapp id="vapp-ef6ed6d8-6538-440a-a91c-3dd5574c8787" name="qwe" status="8"> '
    '<vm id="vm-7e779303-8bb5-46c0-b4b9-8973bf4b18f5" name="qwe" status="8" ext_ip="92.242.45.21" '
    'int_ip="192.168.100.100" vapp_template="3dd2ee97-2f2d-465b-b5d4-2c4e0f07c225"> '
    '<os value="CentOS 4/5/6 (32-bit)"/> <password value="!R3!e3C7"/> <disc id="2000" reserved="10240"/> '
    '<cpu reserved="1"/> <mem reserved="1024"/> </vm> </vapp> </item>'
)
"""The example of the story, as it stands there."""
