"""How fast a network runs on each engine and in each precision, and how far its vectors are from fp32."""
